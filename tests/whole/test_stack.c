/* The stack that a call of the emitted file takes, on compilers and machines that use it
 * differently: never more than its header says; with integer scores that are the same in
 * every build, so that no compiler drops the call of a layer. */
#include "tests/suites.h"

#include "gen/emit/infer_file.h"
#include "runtime/base/support.h"
#include "tests/tools/built_net.h"
#include "tests/tools/folder.h"
#include "tests/tools/process.h"
#include "tests/tools/quant_net.h"
#include "tests/tools/random_weights.h"

#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name, *sets[6];
} nets[] = {
    {"residual", {"net.side=24", "net.width=16"}},
    {"quant_family",
     {"net.side=16", "net.width=16", "net.shortcut='B'",
      "quant={ quantizer='uniform_static', w_bits=8, a_bits=8, per_channel=true }"}},
    {"quant_family", /* 4 bits, depthwise */
     {"net.side=16", "net.width=64", "net.growth=1", "net.groups=64", "net.pool=true"}},
    {"quant_family", {"net.width=5", "net.growth=3"}}, /* channels that fill no vector */
    {"quant_family",
     {"net.side=12", "net.width=16",
      "quant={ quantizer='parametric_d_xmax', w_bits=4, a_bits=4 }"}},
    {"preact", {"net.width=16"}},
};
enum { NETS = sizeof nets / sizeof *nets };

static const struct {
    const char *compiler, *emulator, *flags[6]; /* a build for each */
} machines[] = {
    {"gcc", NULL, {"-O0", "-Os", "-O2", "-O3"}},
    {"gcc -march=native", NULL, {"-O0", "-Os", "-O2", "-O3"}},
    {"gcc -march=x86-64-v3", NULL, {"-O0", "-O3"}},
    {"gcc -msse4.1", NULL, {"-O0", "-O3"}},
    {"clang", NULL, {"-O0", "-Os", "-O2", "-O3"}},
    {"clang -march=native", NULL, {"-O0", "-Os", "-O2", "-O3"}},
    {"clang -march=x86-64-v3", NULL, {"-O0", "-O3"}},
    {"tcc", NULL, {"-O0"}},
    {"aarch64-linux-gnu-gcc -static", "qemu-aarch64", {"-O0", "-Os", "-O3"}}, /* neon */
    {"aarch64-linux-gnu-gcc -march=armv8.2-a+dotprod -static", "qemu-aarch64", {"-O0"}},
    {"arm-linux-gnueabihf-gcc -static", "qemu-arm", {"-O0", "-Os", "-O3"}}, /* dsp */
    {"riscv64-linux-gnu-gcc -static", "qemu-riscv64", {"-O0", "-Os", "-O3"}},
    {"riscv64-linux-gnu-gcc -march=rv64gcv -static",
     "qemu-riscv64 -cpu rv64,v=true,vext_spec=v1.0,vlen=256",
     {"-O0"}},
    {"s390x-linux-gnu-gcc -static", "qemu-s390x", {"-O0", "-Os", "-O3"}},
    {"i686-linux-gnu-gcc -static", "qemu-i386", {"-O0", "-Os", "-O3"}},
};
enum { MACHINES = sizeof machines / sizeof *machines };

/* Prints how many more bytes of a stack are no longer as they were filled after a call
 * than after none, the header's bound, and a hash of integer scores. What links the C
 * library runs before. */
static const char measuring[] =
    "#include <stdio.h>\n"
    "#include <stdlib.h>\n"
    "#include <string.h>\n"
    "#include <ucontext.h>\n"
    "enum { ROOM = 1 << 18, FILL = 0xa5 };\n"
    "static unsigned char image[1 << 16], stack[ROOM];\n"
    "static char *arena;\n"
    "static ucontext_t here, there;\n"
    "static volatile int result;\n"
    "static SCORE scores[CLASSES];\n"
    "static void nothing(void) {}\n"
    "static void call(void) { result = CLASSIFY(image, arena); }\n"
    "static long used(void (*function)(void))\n"
    "{\n"
    "    long i = 0;\n"
    "    memset(stack, FILL, ROOM);\n"
    "    getcontext(&there);\n"
    "    there.uc_stack.ss_sp = stack;\n"
    "    there.uc_stack.ss_size = ROOM;\n"
    "    there.uc_link = &here;\n"
    "    makecontext(&there, function, 0);\n"
    "    swapcontext(&here, &there);\n"
    "    while (i < ROOM && stack[i] == FILL) i++;\n"
    "    return ROOM - i;\n"
    "}\n"
    "int main(int argc, char **argv)\n"
    "{\n"
    "    unsigned i;\n"
    "    arena = malloc(ARENA_BYTES + 64);\n"
    "    arena += 64 - (size_t)arena % 64;\n"
    "    for (i = 0; i < sizeof image; i++) image[i] = (unsigned char)(i * 37);\n"
    "    memcpy(arena, argv[0], (size_t)argc);\n"
    "    long without = used(nothing);\n"
    "    printf(\"%ld %ld \", used(call) - without, (long)STACK_BYTES);\n"
    "    SCORES(image, arena, scores);\n"
    "    unsigned hash = 0;\n"
    "    for (i = 0; i < CLASSES; i++) hash = hash * 31 + (unsigned)(long)scores[i];\n"
    "    printf(\"%u\\n\", HASHED ? hash : 0);\n"
    "    return 0;\n"
    "}\n";

static void ship(int net)
{
    QuantNet made;
    quant_net_open_other(&made, nets[net].name, nets[net].sets);
    random_checkpoint(&made.config, made.params, made.stats, in_folder("weights.ckpt"));
    ck_assert_msg(shipped_write(&made.config, in_folder("weights.ckpt"),
                                in_folder("file.c"), (ShippedOptions){0}),
                  "%s", rt_error());
    char upper[64] = "";
    for (int i = 0; made.config.name[i]; i++)
        upper[i] = made.config.name[i] == '_' ? '_' : made.config.name[i] - 'a' + 'A';
    bool codes = quant_used(&made.config.net);
    char *text =
        rt_format("#include \"file.h\"\n#define CLASSIFY %s_classify\n"
                  "#define SCORES %s_scores\n#define SCORE %s\n"
                  "#define HASHED %d\n#define CLASSES %s_CLASSES\n"
                  "#define ARENA_BYTES %s_ARENA_BYTES\n"
                  "#define STACK_BYTES %s_STACK_BYTES\n%s",
                  made.config.name, made.config.name, codes ? "int32_t" : "float", codes,
                  upper, upper, upper, measuring);
    write_text(in_folder("measure.c"), text);
    free(text);
    quant_net_close(&made);
}

/* What the words of a command line, ended by NULL, are; `text` is cut up for it. */
static int split(char *text, const char **words)
{
    int count = 0;
    for (char *word; (word = strsep(&text, " "));)
        words[count++] = word;
    return count;
}

static unsigned measure(const char *compiler, const char *flag, const char *emulator)
{
    char *text = rt_format("%s", compiler);
    const char *words[16];
    int count = split(text, words);
    const char *const rest[] = {flag,
                                "-w",
                                "-o",
                                in_folder("measure"),
                                in_folder("file.c"),
                                in_folder("measure.c"),
                                NULL};
    memcpy(words + count, rest, sizeof rest);
    compile_quietly(words);
    char *machine = rt_format("%s", emulator ? emulator : "env");
    const char *there[8];
    int before = split(machine, there);
    there[before] = in_folder("measure");
    there[before + 1] = NULL;
    ck_assert_int_eq(process_run(NULL, in_folder("said"), NULL, there), 0);
    free(machine);
    char *said = rt_read_file(in_folder("said"), NULL);
    long used = -1, bound = -1;
    unsigned hash = 0;
    ck_assert_int_eq(sscanf(said, "%ld %ld %u", &used, &bound, &hash), 3);
    ck_assert_msg(used <= bound, "%s %s: %ld bytes used, %ld in the header", compiler,
                  flag, used, bound);
    free(said);
    free(text);
    return hash;
}

static bool can_run(int machine)
{
    char *text = rt_format("%s", machines[machine].compiler);
    char *emulator =
        rt_format("%s", machines[machine].emulator ? machines[machine].emulator : "env");
    const char *words[8], *emulators[8];
    split(text, words);
    split(emulator, emulators);
    bool runs =
        program_installed(words[0]) && program_installed(emulators[0]) &&
        (strstr(machines[machine].compiler, "-v3") == NULL || machine_runs("avx2"));
    free(text);
    free(emulator);
    return runs;
}

/* Each network takes half of the builds. */
START_TEST(a_call_stays_within_the_headers_bound)
{
    ship(_i);
    const unsigned first = measure("gcc", "-O0", NULL);
    for (int i = 0, build = 0; i < MACHINES; i++) {
        const bool runs = can_run(i);
        if (!runs)
            printf("skipped: %s\n", machines[i].compiler);
        for (int j = 0; runs && machines[i].flags[j]; j++) {
            if (build++ % 2 != _i % 2)
                continue;
            unsigned hash =
                measure(machines[i].compiler, machines[i].flags[j], machines[i].emulator);
            ck_assert_msg(hash == first, "%s %s: other scores than gcc's at -O0",
                          machines[i].compiler, machines[i].flags[j]);
        }
    }
}
END_TEST

Suite *stack_suite(void)
{
    TCase *tests = tcase_create("stack");
    tcase_add_checked_fixture(tests, folder_make, folder_remove);
    tcase_set_timeout(tests, 300);
    tcase_add_loop_test(tests, a_call_stays_within_the_headers_bound, 0, NETS);
    Suite *suite = suite_create("stack");
    suite_add_tcase(suite, tests);
    return suite;
}
