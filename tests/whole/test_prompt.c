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

/* NAME? says what a name is; files are asked for; tables are as wide as the terminal. */
START_TEST(the_prompt_explains)
{
    static Terminal terminal;
    const char *const words[] = {lathe_program(), "repl", "small.lua", NULL};
    terminal_start(&terminal, in_folder("."), words);
    terminal_wait(&terminal, "\n> ");
    terminal_type(&terminal, "net.train.lr?\r");
    terminal_wait(&terminal, "net.train.lr = 0.05  -- highest learning rate\r\n> ");
    terminal_type(&terminal, "net:ptq?\r");
    terminal_wait(&terminal, "Post-training quantisation: rounding learned");
    terminal_wait(&terminal, "\n> ");
    terminal_type(&terminal, "net.b?\r");
    terminal_wait(&terminal, ".w_bits           -- of weights: 2 to 8, or 32\r\n");
    terminal_wait(&terminal, "\n> ");
    terminal_type(&terminal, "net.b\r");
    terminal_wait(&terminal, "\n> ");
    ck_assert_ptr_null(strstr(terminal.shown, "config line"));
    ck_assert_ptr_nonnull(strstr(terminal.shown, "bits"));
    for (const char *line = terminal.shown; line; line = strchr(line + 1, '\n'))
        ck_assert_msg(strcspn(line + 1, "\r\n") <= 80, "%s", terminal.shown);
    terminal_type(&terminal, "net:save('my.lua')\r");
    terminal_wait(&terminal, "on top of small.lua\r\n> ");
    terminal_type(&terminal, "net.w_bits = 5\r");
    terminal_wait(&terminal, "\n> ");
    terminal_type(&terminal, "net:save('my.lua')\r");
    terminal_wait(&terminal, "my.lua exists; replace it? [y/N] ");
    terminal_type(&terminal, "\r");
    terminal_wait(&terminal, "nothing written\r\n");
    terminal_wait(&terminal, "\n> ");
    terminal_type(&terminal, "open('my.lua').w_bits\r");
    terminal_wait(&terminal, "4\r\n> ");
    terminal_type(&terminal, "net:save('my.lua')\r");
    terminal_wait(&terminal, "[y/N] ");
    terminal_type(&terminal, "y\r");
    terminal_wait(&terminal, "on top of small.lua\r\n");
    terminal_wait(&terminal, "\n> ");
    terminal_type(&terminal, "open('my.lua').w_bits\r");
    terminal_wait(&terminal, "5\r\n> ");
    ck_assert_int_eq(terminal_end(&terminal, "\x04"), 0);
}
END_TEST

/* Colours are for who wants them, and a pager for what is longer than the screen. */
START_TEST(colours_and_a_pager)
{
    static Terminal terminal;
    const char *const words[] = {lathe_program(), "repl", "small.lua", NULL};
    setenv("NO_COLOR", "", 1);
    setenv("PAGER", "sed s/^/paged:/", 1);
    terminal_start(&terminal, in_folder("."), words);
    terminal_wait(&terminal, "\033[1m>\033[0m ");
    terminal_type(&terminal, "6 * 7\r");
    terminal_wait(&terminal, "\033[36m42\033[0m\r\n\033[1m>\033[0m ");
    terminal_type(&terminal, "error('one')\r");
    terminal_wait(&terminal, "\033[31merror: \033[0mone\r\n\033[1m>\033[0m ");
    terminal_type(&terminal, "('x\\n'):rep(20)\r");
    terminal_wait(&terminal, "\nx\r\n\r\n\033[1m>\033[0m ");
    terminal_type(&terminal, "('x\\n'):rep(200)\r");
    terminal_wait(&terminal, "\npaged:x\r\n");
    terminal_wait(&terminal, "\033[1m>\033[0m ");
    ck_assert_int_eq(terminal_end(&terminal, "\x04"), 0);
    setenv("NO_COLOR", "1", 1);
    setenv("PAGER", "/nowhere", 1);
    terminal_start(&terminal, in_folder("."), words);
    terminal_wait(&terminal, "\n> ");
    terminal_type(&terminal, "('x\\n'):rep(200)\r");
    terminal_wait(&terminal, "\nx\r\n");
    terminal_wait(&terminal, "\n> ");
    ck_assert_int_eq(terminal_end(&terminal, "\x04"), 0);
}
END_TEST

Suite *prompt_suite(void)
{
    Suite *suite = suite_create("prompt");
    TCase *typed = tcase_create("typed");
    tcase_add_checked_fixture(typed, repl_set_up, lathe_clean_up);
    tcase_set_timeout(typed, 120);
    tcase_add_test(typed, the_prompt);
    tcase_add_test(typed, the_prompt_explains);
    tcase_add_test(typed, colours_and_a_pager);
    tcase_add_test(typed, training_is_interrupted);
    suite_add_tcase(suite, typed);
    return suite;
}
