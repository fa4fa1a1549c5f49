/* The prompt of lathe repl, typed at through a pseudo-terminal. */
#include "tests/suites.h"

#include "runtime/base/support.h"
#include "tests/tools/folder.h"
#include "tests/tools/lathe_run.h"
#include "tests/tools/process.h"
#include "tests/tools/repl_run.h"
#include "tests/tools/terminal.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

START_TEST(the_prompt)
{
    static Terminal terminal;
    const char *const words[] = {lathe_program(), "repl", "small.lua", NULL};
    terminal_start(&terminal, in_folder("."), words);
    terminal_wait(&terminal, "\n> ");
    terminal_type(&terminal, "6 * 7\r");
    terminal_wait(&terminal, "42\r\n> ");
    terminal_type(&terminal, "error('one') -- two\r");
    terminal_wait(&terminal, "error: one\r\n> ");
    terminal_type(&terminal, "net.las\t.w_bits\r");
    terminal_wait(&terminal, "4\r\n> ");
    terminal_type(&terminal, "net.b\t\t");
    terminal_wait(&terminal, "b_bn");
    terminal_type(&terminal, "\x03");
    terminal_wait(&terminal, "\n> ");
    terminal_type(&terminal, "print('ru' .. 'ns') while true do end\r");
    terminal_wait(&terminal, "runs\r\n");
    terminal_type(&terminal, "\x03");
    terminal_wait(&terminal, "error: interrupted\r\n> ");
    terminal_type(&terminal, "net.last.w_bits\r");
    terminal_wait(&terminal, "4\r\n> ");
    terminal_type(&terminal, "\x1b[A\r"); /* the line before */
    terminal_wait(&terminal, "4\r\n> ");
    terminal_type(&terminal, "if true then\r");
    terminal_wait(&terminal, "\n>> ");
    terminal_type(&terminal, "print(9) end\r");
    terminal_wait(&terminal, "9\r\n> ");
    terminal_type(&terminal, "open('pict\t').net.width\r");
    terminal_wait(&terminal, "8\r\n> ");
    ck_assert_int_eq(terminal_end(&terminal, "\x04"), 0);
    char *history = rt_read_file(in_folder(".lathe_history"), NULL);
    ck_assert_ptr_nonnull(history);
    ck_assert_ptr_nonnull(strstr(history, "net.last.w_bits"));
    free(history);
}
END_TEST

START_TEST(training_is_interrupted)
{
    static Terminal terminal;
    const char *const words[] = {lathe_program(), "repl",   "small.lua", "--weights",
                                 "f.ckpt",        "--data", "random:64", NULL};
    terminal_start(&terminal, in_folder("."), words);
    terminal_wait(&terminal, "\n> ");
    terminal_type(
        &terminal,
        "while true do net:train{ epochs = 90000, held_out = 4, output = 'run' } end\r");
    terminal_wait(&terminal, "epoch 2/90000");
    terminal_type(&terminal, "\x03");
    terminal_wait(&terminal, "stopped at epoch");
    terminal_wait(&terminal, "; net:train{ ... } goes on from its weights");
    terminal_wait(&terminal, "error: interrupted\r\n> ");
    terminal_type(&terminal, "net:eval(4).weights\r");
    terminal_wait(&terminal, "\"trained\"\r\n> ");
    ck_assert_int_eq(terminal_end(&terminal, "exit\r"), 0);
}
END_TEST

Suite *prompt_suite(void)
{
    Suite *suite = suite_create("prompt");
    TCase *typed = tcase_create("typed");
    tcase_add_checked_fixture(typed, repl_set_up, lathe_clean_up);
    tcase_set_timeout(typed, 120);
    tcase_add_test(typed, the_prompt);
    tcase_add_test(typed, training_is_interrupted);
    suite_add_tcase(suite, typed);
    return suite;
}
