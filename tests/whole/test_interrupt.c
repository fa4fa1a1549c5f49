/* Ctrl-C always comes back: whatever a session runs, a SIGINT ends it, and soon. */
#include "tests/suites.h"

#include "runtime/base/support.h"
#include "tests/tools/folder.h"
#include "tests/tools/lathe_run.h"
#include "tests/tools/process.h"
#include "tests/tools/repl_run.h"
#include "tests/tools/terminal.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* What does not end by itself. */
static const char *const endless[] = {
    /* Errors that are caught */
    "while true do pcall(function() while true do end end) end",
    "while true do pcall(error) end",
    "while true do xpcall(error, function() while true do end end) end",
    "xpcall(function() while true do end end, function() while true do end end)",
    "while true do local x <close> = setmetatable({}, { __close = function() while true "
    "do "
    "end end }) end",
    /* Coroutines */
    "coroutine.wrap(function() while true do end end)()",
    "while true do pcall(coroutine.wrap(function() while true do pcall(function() for i "
    "= "
    "1, 1e9 do end end) end end)) end",
    /* Metamethods */
    "tostring(setmetatable({}, { __tostring = function() while true do end end }))",
    "string.format('%s', setmetatable({}, { __tostring = function() while true do end "
    "end "
    "}))",
    "setmetatable({}, { __gc = function() while true do end end }) collectgarbage()",
    "local m = { __gc = true } setmetatable({}, m) m.__gc = function() while true do end "
    "end collectgarbage()",
    /* Strings */
    "while true do (''):rep(math.maxinteger) end",
    "('a'):rep(5000):find(('a*'):rep(50) .. 'b')",
    "('a'):rep(60):match(('a?'):rep(60) .. ('a'):rep(60) .. 'b')",
    "('a'):rep(3000):gsub('.-.-.-.-b', 'x')",
    "for word in ('a'):rep(3000):gmatch('.-.-.-.-b') do end",
    "('('):rep(1e7):find('%b()')",
    /* Tables */
    "table.move({}, 1, 1e15, 2)",
    "table.concat(setmetatable({}, { __index = type }), '', 1, math.maxinteger)",
    "table.insert(setmetatable({}, { __len = function() return 1 << 50 end }), 1, 2)",
    "table.remove(setmetatable({}, { __len = function() return 1 << 50 end }), 1)",
    "table.sort(setmetatable({}, { __len = function() return 1 << 30 end, __index = "
    "rawlen "
    "}))",
    "while true do pcall(table.unpack, {}, 1, 1e7) end",
    /* Files, programs, chunks */
    "io.open('/dev/zero'):read('a')",
    "io.open('/dev/zero'):read('l')",
    "io.open('fifo')",
    "loadfile('fifo')",
    "local s = ('x'):rep(1e6) while true do print(s) end",
    "load(function() return ' ' end)",
    "while true do pcall(debug.sethook) end",
};

START_TEST(endless_scripts_end)
{
    char *text = rt_format("io.open('ready', 'w'):close(); %s\n", endless[_i]);
    ck_assert_int_eq(mkfifo(in_folder("fifo"), 0600), 0);
    write_text(in_folder("script.lua"), text);
    free(text);
    pid_t child = process_start(in_folder("."), NULL, in_folder("err"),
                                lathe_command(WORDS("repl", "script.lua")));
    while (access(in_folder("ready"), F_OK) != 0)
        usleep(10000);
    usleep(100000); /* it is in the midst of it */
    ck_assert_msg(kill(child, SIGINT) == 0, "%s ended", endless[_i]);
    ck_assert_msg(process_wait(child) == 130, "%s", endless[_i]);
    err = rt_read_file(in_folder("err"), NULL);
    ck_assert_str_eq(err, "lathe: interrupted\n");
}
END_TEST

/* The same at a prompt, which goes on. */
START_TEST(the_prompt_comes_back)
{
    static const char *const lines[] = {
        "print('ru' .. 'ns') while true do pcall(function() while true do end end) end\r",
        "print('ru' .. 'ns'); ('a'):rep(5000):find(('a*'):rep(50) .. 'b')\r",
        "print('ru' .. 'ns') while true do os.execute('sleep 1000') end\r",
        "print('ru' .. 'ns') io.read()\r",
        "print('ru' .. 'ns') io.popen('sleep 1000'):read()\r",
        "setmetatable({}, { __gc = function() while true do end end }) print('ru' .. "
        "'ns') "
        "collectgarbage()\r",
    };
    static Terminal terminal;
    const char *const words[] = {lathe_program(), "repl", NULL};
    terminal_start(&terminal, in_folder("."), words);
    terminal_wait(&terminal, "\n> ");
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        terminal_type(&terminal, lines[i]);
        terminal_wait(&terminal, "runs\r\n");
        usleep(100000);
        terminal_type(&terminal, "\x03");
        terminal_wait(&terminal, "error: interrupted\r\n> ");
        terminal_type(&terminal, "6 * 7\r");
        terminal_wait(&terminal, "42\r\n> ");
    }
    ck_assert_int_eq(terminal_end(&terminal, "\x04"), 0);
}
END_TEST

/* What is replaced for Ctrl-C's sake does what Lua's does otherwise. */
START_TEST(the_rest_is_lua)
{
    static const char text[] =
        "local gone\n"
        "local t = setmetatable({}, { __gc = function(o) gone = o.x end })\n"
        "t.x = 5 t = nil collectgarbage()\n"
        "print(gone)\n"
        "local co = coroutine.wrap(function()\n"
        "    xpcall(function() coroutine.yield(7) end, print) return 8\n"
        "end)\n"
        "print(co(), co())\n"
        "print(select(2, pcall(function() io.open('x', 'zz') end)))\n"
        "print(select(2, pcall(function() load(nil) end)))\n"
        "print(load(function() return nil end) ~= nil, load('return 1', 'x', 'b'))\n"
        "local parts = { 'return ', '6 * ', '7', '' }\n"
        "print(load(function() return table.remove(parts, 1) end)())\n"
        "print(load('return x', 'c', 't', { x = 3 })(), load('return x', 'c', 't', "
        "{})())\n"
        "for line in io.lines('script.lua') do print(line) break end\n"
        "print(os.execute('exit 3'))\n"
        "print(xpcall(error, function(m) return m .. '!' end, 'a'))\n"
        "print(io.write(1, ' ', 2.5, ' ', ('x'):rep(200000):sub(-2), '\\n') == "
        "io.stdout)\n"
        "io.open('long', 'w'):write(('abc'):rep(100000), 'd'):close()\n"
        "print(#io.open('long'):read('a'))\n"
        "print(pcall(string.rep, 'x', 1 << 50))\n"
        "print(pcall(setmetatable, setmetatable({}, { __metatable = 1 }), {}))\n";
    ck_assert_int_eq(repl_script(text), 0);
    ck_assert_str_eq(
        out,
        "5\n7\t8\nscript.lua:9: bad argument #2 to 'open' (invalid mode)\n"
        "script.lua:10: bad argument #1 to 'load' (function expected, got nil)\n"
        "true\tnil\tattempt to load a text chunk (mode is 'b')\n42\n3\tnil\nlocal gone\n"
        "nil\texit\t3\nfalse\ta!\n1 2.5 xx\ntrue\n300001\nfalse\tnot enough memory\n"
        "false\tcannot change a protected metatable\n");
    ck_assert_str_eq(err, "");
}
END_TEST

Suite *interrupt_suite(void)
{
    Suite *suite = suite_create("interrupt");
    TCase *ended = tcase_create("ended");
    tcase_add_checked_fixture(ended, repl_set_up, lathe_clean_up);
    tcase_set_timeout(ended, 60);
    tcase_add_loop_test(ended, endless_scripts_end, 0, sizeof endless / sizeof *endless);
    tcase_add_test(ended, the_prompt_comes_back);
    tcase_add_test(ended, the_rest_is_lua);
    suite_add_tcase(suite, ended);
    return suite;
}
