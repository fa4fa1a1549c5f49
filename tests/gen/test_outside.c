/* Text from outside in templates: no use of it but an escape, and what each
 * escape makes. */
#include "tests/suites.h"

#include "gen/emit/outside.h"
#include "runtime/base/support.h"
#include "tests/tools/folder.h"
#include "tests/tools/process.h"

#include <lauxlib.h>
#include <lualib.h>
#include <stdlib.h>
#include <string.h>

static lua_State *lua;

static void prepare(void)
{
    folder_make();
    lua = luaL_newstate();
    luaL_openlibs(lua);
    outside_push_escapes(lua);
    lua_setglobal(lua, "escapes");
}

static void clean_up(void)
{
    lua_close(lua);
    folder_remove();
}

/* What the expression makes of x, the text; good until the next call. */
static const char *made(const char *expression, const char *text)
{
    lua_settop(lua, 0);
    outside_push(lua, text);
    lua_setglobal(lua, "x");
    char *chunk = rt_format("return %s", expression);
    ck_assert_msg(luaL_dostring(lua, chunk) == LUA_OK, "%s: %s", chunk,
                  lua_tostring(lua, -1));
    free(chunk);
    return lua_tostring(lua, -1);
}

static const char *const texts[] = {"plain",
                                    "a */ b",
                                    "/* a",
                                    "/*/",
                                    "*//*",
                                    "?\?/",
                                    "?\?\?/ ?\?'",
                                    "a\\",
                                    "a\\\\",
                                    "a\nb\\\n",
                                    "\"q\" 'q'",
                                    "$x $(x) $$",
                                    "#a",
                                    "a\\#b",
                                    "a\\\\#",
                                    " a",
                                    "a ",
                                    "\ta\t",
                                    "a\r",
                                    "%d",
                                    "\x1b[2J\x7f",
                                    "caf\xc3\xa9",
                                    "\xff\1",
                                    "\xc2\x9b"
                                    "2",
                                    "<&>"};
enum { TEXTS = sizeof texts / sizeof *texts };

START_TEST(nothing_but_an_escape_uses_it)
{
    static const char *const uses[] = {
        "tostring(x)", "x .. 'a'",         "'a' .. x",          "#x", "x < x", "x.text",
        "x:sub(1)",    "('%s'):format(x)", "table.concat{ x }", "x()"};
    for (size_t i = 0; i < sizeof uses / sizeof *uses; i++) {
        outside_push(lua, "text");
        lua_setglobal(lua, "x");
        char *chunk = rt_format("return %s", uses[i]);
        ck_assert_msg(luaL_dostring(lua, chunk) != LUA_OK, "%s", chunk);
        free(chunk);
    }
    static const char *const names[] = {"c_string",     "c_comment",  "c_include",
                                        "make_comment", "make_value", "html",
                                        "html_lines",   "lines"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) { /* and nothing twice */
        char *chunk = rt_format("return escapes.%s('text')", names[i]);
        ck_assert_msg(luaL_dostring(lua, chunk) != LUA_OK, "%s", chunk);
        ck_assert_ptr_nonnull(
            strstr(lua_tostring(lua, -1), "text from outside expected"));
        free(chunk);
    }
}
END_TEST

START_TEST(comments_end_where_they_end)
{
    static const char *const never[] = {"*/", "/*", "??", "\n", "\r", "\x1b"};
    const char *text = made("escapes.c_comment(x)", texts[_i]);
    for (size_t i = 0; i < sizeof never / sizeof *never; i++)
        ck_assert_msg(strstr(text, never[i]) == NULL, "%s", text);
    ck_assert_msg(text[strlen(text) - 1] != '\\', "%s", text);
    text = made("escapes.make_comment(x)", texts[_i]);
    ck_assert_msg(strcspn(text, "\n\r\x1b") == strlen(text), "%s", text);
    ck_assert_msg(text[strlen(text) - 1] != '\\', "%s", text);
}
END_TEST

START_TEST(html_is_text)
{
    const char *text = made("escapes.html(x)", texts[_i]);
    ck_assert_msg(strcspn(text, "<>\"'\n\x1b\x7f") == strlen(text), "%s", text);
    for (const char *p = text; (p = strchr(p, '&')); p++)
        ck_assert(strncmp(p, "&amp;", 5) == 0 || strncmp(p, "&lt;", 4) == 0 ||
                  strncmp(p, "&gt;", 4) == 0 || strncmp(p, "&quot;", 6) == 0 ||
                  strncmp(p, "&#39;", 5) == 0);
    text = made("escapes.html_lines(x)", texts[_i]);
    ck_assert_msg(strcspn(text, "<>\"'\x1b\x7f\r") == strlen(text), "%s", text);
}
END_TEST

/* The same bytes come out of a program that has the literal. */
START_TEST(strings_of_c_are_the_same_bytes)
{
    char *source = rt_format("#include <stdio.h>\nint main(void)\n{\n    return "
                             "fputs(%s, stdout) < 0;\n}\n",
                             made("escapes.c_string(x)", texts[_i]));
    const char *program = in_folder("program"), *path = in_folder("a.c");
    write_text(path, source);
    compile_quietly((const char *const[]){"gcc", "-std=c99", "-Wall", "-Wextra",
                                          "-Wpedantic", "-o", program, path, NULL});
    ck_assert_int_eq(
        process_run(NULL, in_folder("said"), NULL, (const char *const[]){program, NULL}),
        0);
    char *said = rt_read_file(in_folder("said"), NULL);
    ck_assert_str_eq(said, texts[_i]);
    free(said);
    free(source);
}
END_TEST

/* make and a shell see the value as it was. */
START_TEST(values_of_make_are_the_same_bytes)
{
    if (strchr(texts[_i], '\n'))
        return; /* lathe_is_whole refuses such a folder */
    char *makefile = rt_format("LATHE := %s\nall:\n\t@printf %%s "
                               "'${subst ','\\'',${value LATHE}}'\n",
                               made("escapes.make_value(x)", texts[_i]));
    const char *path = in_folder("Makefile");
    write_text(path, makefile);
    ck_assert_int_eq(process_run(NULL, in_folder("said"), NULL,
                                 (const char *const[]){"make", "-s", "-f", path, NULL}),
                     0);
    char *said = rt_read_file(in_folder("said"), NULL);
    ck_assert_str_eq(said, texts[_i]);
    free(said);
    free(makefile);
}
END_TEST

Suite *outside_suite(void)
{
    TCase *tests = tcase_create("outside");
    tcase_add_checked_fixture(tests, prepare, clean_up);
    tcase_add_test(tests, nothing_but_an_escape_uses_it);
    tcase_add_loop_test(tests, comments_end_where_they_end, 0, TEXTS);
    tcase_add_loop_test(tests, html_is_text, 0, TEXTS);
    tcase_add_loop_test(tests, strings_of_c_are_the_same_bytes, 0, TEXTS);
    tcase_add_loop_test(tests, values_of_make_are_the_same_bytes, 0, TEXTS);
    Suite *suite = suite_create("outside");
    suite_add_tcase(suite, tests);
    return suite;
}
