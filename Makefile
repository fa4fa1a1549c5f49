# Two targets for newcomers: `make demo` and `make test`. Both install what is missing.
CC = gcc
WARNINGS = -Wall -Wextra -Wpedantic -Wno-overlength-strings -Wno-psabi
CPPFLAGS = -D_GNU_SOURCE -I. $(shell pkg-config --cflags lua5.4 hdf5 2>/dev/null)
# No a * b + c in one rounding: numbers come out the same on every machine.
CFLAGS = -std=gnu11 -O2 -g -fopenmp -ffp-contract=off $(WARNINGS)
# The runtime is built where it runs.
RUNTIME_FLAGS = -O3 -march=native
LIBRARIES = -llua5.4 -ltcc -ldl -lzip -ljansson -lopenblas -lsleef -lcairo -lpng -ljpeg \
    -larchive -lz -lmd -ledit $(shell pkg-config --libs hdf5 2>/dev/null) -lm

# What mpicc is for is built with each trainer that asks for it.
RUNTIME = $(patsubst %.c,out/%.o,$(filter-out runtime/peers/mpi.c,$(wildcard runtime/*/*.c)))
GEN = $(patsubst %.c,out/%.o,$(wildcard gen/*.c gen/*/*.c))

.PHONY: all demo test packages clean
all: out/lathe

# ---- For newcomers ----

# What each is for: README.md. What is there already is left alone.
PACKAGES = gcc make pkg-config liblua5.4-dev libtcc-dev tcc libopenblas-dev libsleef-dev \
    check libpng-dev libjpeg62-turbo-dev libarchive-dev libcairo2-dev fonts-dejavu-core \
    libzip-dev libjansson-dev libhdf5-dev libmd-dev zlib1g-dev libedit-dev
# The emulated machines are 200 MB to fetch; tests say which they skip where there is no Debian.
EMULATED = arm64:aarch64-linux-gnu armhf:arm-linux-gnueabihf riscv64:riscv64-linux-gnu \
    s390x:s390x-linux-gnu i386:i686-linux-gnu
# So is what microcontrollers take, 106 MB more.
TEST_PACKAGES = ccache clang chromium qemu-user protobuf-compiler libdigest-crc-perl \
    openmpi-bin libopenmpi-dev qemu-system-arm gcc-arm-none-eabi libnewlib-arm-none-eabi \
    $(foreach machine,$(EMULATED),libc6-dev-$(subst :,-cross gcc-,$(machine)))
FUZZ_PACKAGES = libclang-rt-dev libomp-dev

packages:
	@wanted="$(PACKAGES) $(TEST_PACKAGES)"; missing=; \
	if ! command -v dpkg-query >/dev/null; then \
	    echo "no Debian: packages are not checked; wanted: $$wanted"; exit 0; \
	fi; \
	have=" $$(dpkg-query -W -f '$${db:Status-Status}/$${Package} ' $$wanted 2>/dev/null)"; \
	for package in $$wanted; do \
	    case "$$have" in *" installed/$$package "*) ;; *) missing="$$missing $$package" ;; esac; \
	done; \
	if [ -z "$$missing" ]; then exit 0; fi; \
	install="apt-get install -y --no-install-recommends$$missing"; \
	if [ $$(id -u) -ne 0 ]; then \
	    echo "packages are missing; run: sudo apt-get update && sudo $$install" >&2; exit 1; \
	fi; \
	export DEBIAN_FRONTEND=noninteractive; \
	$$install || { apt-get update && $$install; }

# Make runs once more for what needs the packages.
AGAIN = @$(MAKE) --no-print-directory
CORES = $(shell nproc)

DEMO = configs/demo_cifar10.lua
DEMO_OUT = out/demo_cifar10
DEMO_PICTURES = tests/sample/images/*.png
DEMO_ZOO = resnet20_int8 resnet20_int4 resnet20_mixed
define SHIP_OF_ZOO
	out/lathe emit configs/zoo/$1.lua --weights configs/zoo/$1.ckpt -o out/zoo/$1.c
	cc -O3 -DLATHE_MAIN -o out/zoo/$1 out/zoo/$1.c
	out/lathe data raw $(DEMO_PICTURES) | out/zoo/$1

endef

demo:
	$(AGAIN) packages TEST_PACKAGES=
	@echo building out/lathe
	$(AGAIN) -s -j$(CORES) out/lathe
	out/lathe train $(DEMO) --data tests/sample
	out/lathe eval $(DEMO) --weights $(DEMO_OUT)/best.ckpt --data tests/sample
	out/lathe emit $(DEMO) --weights $(DEMO_OUT)/best.ckpt -o $(DEMO_OUT)/infer.c
	cc -O3 -DLATHE_MAIN -o $(DEMO_OUT)/infer $(DEMO_OUT)/infer.c
	out/lathe classify $(DEMO) --weights $(DEMO_OUT)/best.ckpt $(DEMO_PICTURES)
	out/lathe data raw $(DEMO_PICTURES) | $(DEMO_OUT)/infer
	@echo; echo "from configs/zoo, trained on all of CIFAR-10:"
	@mkdir -p out/zoo
	$(foreach net,$(DEMO_ZOO),$(call SHIP_OF_ZOO,$(net)))
	@echo; echo "$(DEMO_OUT) has now:"
	@printf '  %-22s %s\n' \
	    'infer.c, infer.h' 'the trained network as one C file, and how to call it' \
	    infer 'that file built with cc: raw images in, classes out' \
	    'network.c, train.c' 'the trainer, generated for this network' \
	    Makefile 'builds it: make -C $(DEMO_OUT)' \
	    report.txt 'layers, sizes, and the kernels chosen for them' \
	    best.ckpt 'trained weights' \
	    last.ckpt 'what --resume goes on from' \
	    'log.csv, curve.png' 'loss and accuracy, epoch by epoch'

test:
	$(AGAIN) packages
	$(AGAIN) -s -j$(CORES) out/lathe
	$(AGAIN) check

# ---- Building ----

# All of the runtime, exported: code compiled in memory calls it.
out/lathe: $(GEN) $(RUNTIME) out/libruntime.a
	$(CC) -fopenmp -rdynamic -o $@ $(GEN) $(RUNTIME) $(LIBRARIES)

out/libruntime.a: $(RUNTIME)
	rm -f $@
	ar rcs $@ $^

out/runtime/%.o: runtime/%.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) $(RUNTIME_FLAGS) -MMD -MP -c -o $@ $<

out/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

-include $(RUNTIME:.o=.d) $(GEN:.o=.d)

clean:
	rm -rf out

# ---- Installing ----

# Lathe finds its parts in ../lib/lathe of the folder it is in: PREFIX may be moved as a whole.
PREFIX = /usr/local
BIN = $(DESTDIR)$(PREFIX)/bin
PARTS = $(DESTDIR)$(PREFIX)/lib/lathe
MAN = $(DESTDIR)$(PREFIX)/share/man/man1
quoted = '$(subst ','\'',$1)'

.PHONY: install uninstall
install: out/lathe
	install -D out/lathe $(call quoted,$(BIN)/lathe)
	install -D -m 644 gen/lathe.1 $(call quoted,$(MAN)/lathe.1)
	rm -rf $(call quoted,$(PARTS))
	set -e; for part in $$(find gen templates runtime configs -name '*.lua' -o -name '*.in' \
	    -o -name '*.ckpt' -o -path 'runtime/*.h' -o -name mpi.c) out/libruntime.a; do \
	    install -D -m 644 "$$part" $(call quoted,$(PARTS))/"$$part"; \
	done

uninstall:
	rm -rf $(call quoted,$(BIN)/lathe) $(call quoted,$(MAN)/lathe.1) $(call quoted,$(PARTS))

# Tests: as they are, and under the sanitizers in a tree of their own.
SANITIZE = -fsanitize=address,undefined -fno-sanitize-recover=undefined -Wno-format-truncation
TESTS = $(patsubst %.c,out/%.o,$(filter-out tests/fuzz/% tests/boards/% tests/mpi/%,$(wildcard tests/*.c tests/*/*.c)))
TESTED = $(filter-out out/gen/main.o,$(GEN)) $(RUNTIME) $(TESTS)
SANITIZED = $(patsubst out/%,out/sanitize/%,$(GEN) $(RUNTIME) $(TESTS))
TEST_LIBRARIES = $(shell pkg-config --libs check 2>/dev/null)

CHECKED = out/sanitize/tests/run out/tests/run

.PHONY: check
check: # limits of time are for what hangs
	@tests/rooms.sh
	$(AGAIN) -s -j$(CORES) $(CHECKED) out/lathe out/sanitize/lathe out/baseline/lathe
	@CK_TIMEOUT_MULTIPLIER=15 tests/all.sh $(CHECKED)

out/tests/run: $(TESTED)
	$(CC) -fopenmp -rdynamic -o $@ $^ $(TEST_LIBRARIES) $(LIBRARIES)

out/sanitize/tests/run: $(filter-out out/sanitize/gen/main.o,$(SANITIZED))
	$(CC) $(SANITIZE) -fopenmp -rdynamic -o $@ $^ $(TEST_LIBRARIES) $(LIBRARIES)

out/sanitize/lathe: $(filter-out out/sanitize/tests/%,$(SANITIZED)) out/sanitize/tests/tools/leaks.o
	$(CC) $(SANITIZE) -fopenmp -rdynamic -o $@ $^ $(LIBRARIES)

# Built for the same machine, for a run within lathe is compared with a trainer's.
out/sanitize/runtime/%.o: runtime/%.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) $(RUNTIME_FLAGS) $(SANITIZE) -MMD -MP -c -o $@ $<

out/sanitize/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) $(SANITIZE) -MMD -MP -c -o $@ $<

# Readers and the compiler under libFuzzer, FUZZ seconds a harness.
FUZZ = 20
FUZZ_FLAGS = -O1 -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=undefined
FUZZED = $(patsubst out/%,out/fuzz/%,$(filter-out out/gen/main.o,$(GEN)) $(RUNTIME)) \
    out/fuzz/tests/fuzz/fuzz.o

.PHONY: bench-boards
bench-boards: out/lathe # README's table; FILES: emitted files or configs; COMMITS: of configs
	@tests/boards/bench.sh $(FILES)

.PHONY: bench
bench: out/lathe # ROWS: some of its rows; beside oneDNN and PyTorch where they are installed
	@python3 tests/peers/bench.py $(ROWS)

.PHONY: bench-mpi
bench-mpi: out/lathe # two processes over slow lines: wants root, and Open MPI
	@python3 tests/mpi/bench.py $(CONFIG)

.PHONY: results
results: out/lathe # the zoo's rows of README.md on all of CIFAR-10
	@tests/results.sh

.PHONY: fuzz
fuzz:
	$(AGAIN) packages PACKAGES='$(PACKAGES) $(FUZZ_PACKAGES)'
	$(AGAIN) -s -j$(CORES) out/fuzz/fuzz
	@tests/fuzz/run.sh $(FUZZ)

out/fuzz/fuzz: $(FUZZED)
	clang -fsanitize=fuzzer,address,undefined -fopenmp -rdynamic -o $@ $^ $(LIBRARIES)

out/fuzz/%.o: %.c
	@mkdir -p $(@D)
	clang $(CPPFLAGS) $(CFLAGS) -Wno-unknown-warning-option -Wno-pass-failed $(FUZZ_FLAGS) -MMD -MP -c -o $@ $<

# With a runtime that knows nothing of this machine: tests train with both to the same bits.
BASELINE = $(patsubst out/%,out/baseline/%,$(RUNTIME))
BASELINE_FLAGS = -O1 -Wno-format-truncation $(if $(filter x86_64,$(shell uname -m)),-march=x86-64)

out/baseline/lathe: $(GEN) $(BASELINE)
	$(CC) -fopenmp -rdynamic -o $@ $^ $(LIBRARIES)

out/baseline/runtime/%.o: runtime/%.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) $(BASELINE_FLAGS) -MMD -MP -c -o $@ $<

-include $(TESTS:.o=.d) $(SANITIZED:.o=.d) $(BASELINE:.o=.d) $(FUZZED:.o=.d)
