/* Tables and pictures of a session: a sweep over a field, and what a script draws. */
#include "tests/suites.h"

#include "runtime/base/support.h"
#include "runtime/draw/picture.h"
#include "tests/tools/folder.h"
#include "tests/tools/lathe_run.h"
#include "tests/tools/repl_run.h"

#include <string.h>
#include <unistd.h>

static void check_picture(const char *name)
{
    Picture picture;
    ck_assert_msg(picture_read(in_folder(name), &picture), "%s", rt_error());
    ck_assert_int_eq(picture.width, 1280);
    picture_free(&picture);
}

START_TEST(a_sweep_leaves_the_net_alone)
{
    int status = repl_script(
        "net.b.w_bits = 5\n"
        "local before = net:hash()\n"
        "local rows = net:sweep('a.w_bits', { 8, 2 }, { images = 16, file = 's.png' })\n"
        "assert(net:hash() == before and #rows == 2)\n"
        "assert(rows[1].value == 8 and rows[2].value == 2)\n"
        "assert(rows[1].bytes - rows[2].bytes == 450)\n"
        "assert(rows.float.weights == 'f.ckpt' and rows.float.images == 16)\n"
        "print(pcall(net.sweep, net, 'w_bits', { 4, 9 }, { images = 16 }))\n"
        "assert(net:hash() == before and #net:changes() == 1)\n"
        "net:sweep('quant.a_bits', { 3 }, { ptq = 16, x = 'size', file = 'p.png' })\n");
    ck_assert_msg(status == 0 && *err == 0, "status %d: %s", status, err);
    ck_assert_ptr_nonnull(
        strstr(out, "    a.w_bits  accuracy        size      time  weights\n"));
    ck_assert_ptr_nonnull(strstr(out, "false\tscript.lua:8: small.lua: quant.w_bits: 9, "
                                      "want a whole number from 2 to 8, or 32\n"));
    ck_assert_ptr_nonnull(strstr(out, "picture: s.png\n"));
    check_picture("s.png");
    check_picture("p.png");
}
END_TEST

START_TEST(a_script_draws_what_it_measured)
{
    int status = repl_script(
        "local ours = { x = { 71, 134 }, y = { 0.92, 0.93 }, labels = { 'a', 'b' } }\n"
        "ours.name = 'ours'\n"
        "plot('o.png', { ours, { x = { 268 }, y = { 0.94 }, name = 'theirs' } },\n"
        "    { title = 'accuracy over size', x = 'KB', y = 'accuracy', log = true })\n");
    ck_assert_msg(status == 0 && *err == 0, "status %d: %s", status, err);
    ck_assert_str_eq(out, "picture: o.png\n");
    check_picture("o.png");
}
END_TEST

Suite *sweep_suite(void)
{
    Suite *suite = suite_create("sweep");
    TCase *drawn = tcase_create("drawn");
    tcase_add_checked_fixture(drawn, repl_set_up, lathe_clean_up);
    tcase_set_timeout(drawn, 120);
    tcase_add_test(drawn, a_sweep_leaves_the_net_alone);
    tcase_add_test(drawn, a_script_draws_what_it_measured);
    suite_add_tcase(suite, drawn);
    return suite;
}
