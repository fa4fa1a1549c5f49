/* The emitted file on microcontrollers that QEMU has the boards of: its self-test passes,
 * and a call stays within the stack that the header says. */
#include "tests/suites.h"

#include "gen/base/paths.h"
#include "gen/emit/infer_file.h"
#include "gen/run/scores.h"
#include "runtime/base/support.h"
#include "tests/tools/folder.h"
#include "tests/tools/process.h"
#include "tests/tools/quant_net.h"
#include "tests/tools/random_weights.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

static const QuantCase nets[] = {
    {"uniform_static", {"net.width=16", "net.side=12", "net.shortcut='B'"}, 1, true, ""},
    {"parametric_d_xmax", {"net.width=6", "net.growth=3", "net.pool=true"}, 6, false, ""},
};
enum { NETS = sizeof nets / sizeof *nets, WIDE = NETS }; /* and tests/nets/wide.lua */

/* Where code and data are: board.ld. */
typedef struct {
    const char *name, *cpu, *fpu, *code, *data;
} Board;
static const Board m3 = {"mps2-an385", "-mcpu=cortex-m3", "-mfloat-abi=soft", "0x0",
                         "0x21000000"},
                   m4 = {"mps2-an386", "-mcpu=cortex-m4", "-mfloat-abi=hard", "0x0",
                         "0x21000000"},
                   m7 = {"mps2-an500", "-mcpu=cortex-m7", "-mfloat-abi=hard", "0x0",
                         "0x60000000"},
                   m33 = {"mps2-an505", "-mcpu=cortex-m33", "-mfloat-abi=hard",
                          "0x10000000", "0x80000000"},
                   m55 = {"mps3-an547", "-mcpu=cortex-m55", "-mfloat-abi=hard", "0x0",
                          "0x70000000"};

static const struct {
    const Board *board;
    const char *flag;
    int net;
} runs[] = {
    {&m3, "-O2", 0},  {&m4, "-O2", 0},    {&m7, "-O3", 1},     {&m33, "-Os", 1},
    {&m55, "-O2", 0}, {&m55, "-Os", 1},   {&m55, "-O1", 1},    {&m4, "-O0", 1},
    {&m55, "-O0", 0}, {&m4, "-O2", WIDE}, {&m55, "-O2", WIDE}, {&m55, "-O0", WIDE},
};
enum { RUNS = sizeof runs / sizeof *runs };

static void ship(QuantNet *net, int which)
{
    if (which == WIDE)
        quant_net_open_other(net, "wide", (const char *const[]){NULL});
    else
        quant_net_open(net, &nets[which]);
    random_checkpoint(&net->config, net->params, net->stats, in_folder("weights.ckpt"));
    ck_assert_msg(shipped_write(&net->config, in_folder("weights.ckpt"),
                                in_folder("file.c"),
                                (ShippedOptions){.selftest = selftest_make}),
                  "%s", rt_error());
}

static void build(const Board *board, const char *flag, const char *name)
{
    char upper[64] = "";
    for (int i = 0; name[i]; i++)
        upper[i] = (char)toupper((unsigned char)name[i]);
    char *macros[] = {
        rt_format("-DNAME=%s", name),
        rt_format("-DUPPER=%s", upper),
        rt_format("-T%s/tests/boards/board.ld", lathe_root()),
        rt_format("-Wl,--defsym=code=%s,--defsym=data=%s", board->code, board->data),
        rt_format("%s/tests/boards/start.c", lathe_root()),
        rt_format("%s/tests/boards/main.c", lathe_root())};
    const char *const file[] = {"arm-none-eabi-gcc",
                                "-std=c99",
                                "-Wall",
                                "-Wextra",
                                "-Wpedantic",
                                "-Werror",
                                "-mthumb",
                                board->cpu,
                                board->fpu,
                                flag,
                                "-DLATHE_SELFTEST",
                                "-Dmain=selftest",
                                "-c",
                                "-o",
                                in_folder("file.o"),
                                in_folder("file.c"),
                                NULL};
    compile_quietly(file);
    const char *const program[] = {"arm-none-eabi-gcc",
                                   "-std=gnu99",
                                   "-mthumb",
                                   board->cpu,
                                   board->fpu,
                                   "-O1",
                                   "-w",
                                   "-DHEADER=\"file.h\"",
                                   "-I",
                                   in_folder("."),
                                   macros[0],
                                   macros[1],
                                   macros[4],
                                   macros[5],
                                   in_folder("file.o"),
                                   macros[2],
                                   macros[3],
                                   "-nostartfiles",
                                   "--specs=nosys.specs",
                                   "-Wl,--no-warnings",
                                   "-o",
                                   in_folder("program"),
                                   NULL};
    compile_quietly(program);
    for (size_t i = 0; i < sizeof macros / sizeof *macros; i++)
        free(macros[i]);
}

START_TEST(the_self_test_passes_on_boards)
{
    if (!program_installed("arm-none-eabi-gcc") ||
        !program_installed("qemu-system-arm")) {
        printf("skipped: boards, for want of arm-none-eabi-gcc or qemu-system-arm\n");
        return;
    }
    QuantNet net;
    ship(&net, _i);
    for (int i = 0; i < RUNS; i++) {
        if (runs[i].net != _i)
            continue;
        const Board *board = runs[i].board;
        build(board, runs[i].flag, net.config.name);
        const char *const words[] = {"qemu-system-arm",
                                     "-M",
                                     board->name,
                                     "-nographic",
                                     "-monitor",
                                     "none",
                                     "-serial",
                                     "null",
                                     "-semihosting-config",
                                     "enable=on,target=native",
                                     "-kernel",
                                     in_folder("program"),
                                     NULL};
        int status = process_run(NULL, in_folder("out"), in_folder("said"), words);
        char *said = rt_read_file(in_folder("said"), NULL);
        ck_assert_msg(status == 0 && strcmp(said, "passed: 0 of 15 scores differ\n") == 0,
                      "%s %s: status %d: %s", board->name, runs[i].flag, status, said);
        free(said);
    }
    quant_net_close(&net);
}
END_TEST

Suite *boards_suite(void)
{
    TCase *tests = tcase_create("boards");
    tcase_add_checked_fixture(tests, folder_make, folder_remove);
    tcase_set_timeout(tests, 120);
    tcase_add_loop_test(tests, the_self_test_passes_on_boards, 0, NETS + 1);
    Suite *suite = suite_create("boards");
    suite_add_tcase(suite, tests);
    return suite;
}
