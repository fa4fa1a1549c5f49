/* What a session has in the place of functions of Lua's libraries does what they do: both
 * get the same random arguments. What Ctrl-C does to it: test_interrupt.c. */
#include "tests/suites.h"

#include "gen/session/strings.h"
#include "gen/session/tables.h"

#include <lauxlib.h>
#include <lualib.h>
#include <stdlib.h>

/* `compare(name, ...)`: name's function of Lua's and ours with the same arguments. */
static const char prelude[] =
    "local function copied(value)\n"
    "    if type(value) ~= 'table' then return value end\n"
    "    return table.move(value, 1, #value, 1, {})\n"
    "end\n"
    "local function words(value)\n"
    "    if type(value) ~= 'table' then return math.type(value) or type(value), value "
    "end\n"
    "    local list = {}\n"
    "    for i = 1, 12 do list[i] = tostring(value[i]) end\n"
    "    return 'table', lua.table.concat(list, ' ')\n"
    "end\n"
    "local function said(t, name, ...)\n"
    "    local arguments = lua.table.pack(...)\n"
    "    for i = 1, arguments.n do arguments[i] = copied(arguments[i]) end\n"
    "    local library, field = name:match('(%a+)%.(%a+)')\n"
    "    local results = lua.table.pack(pcall(t[library][field],\n"
    "        lua.table.unpack(arguments, 1, arguments.n)))\n"
    "    local list = { words(arguments[1]) }\n"
    "    for i = 1, results.n do\n"
    "        local text = lua.string.gsub(tostring(results[i]), \"'[%a.?]+' %(\", '(')\n"
    "        text = lua.string.gsub(text, 'argument #%d', 'argument') -- Lua's miscounts "
    "one\n"
    "        if type(results[i]) == 'table' then text = 'table' end\n"
    "        list[#list + 1] = type(results[i]) .. ' ' .. text\n"
    "    end\n"
    "    return lua.table.concat(list, '; ')\n"
    "end\n"
    "function compare(name, ...)\n"
    "    local wanted, got = said(lua, name, ...), said(own, name, ...)\n"
    "    if wanted ~= got then\n"
    "        local list = lua.table.pack(...)\n"
    "        for i = 1, list.n do list[i] = ('%q'):format((select(2, words(list[i])))) "
    "end\n"
    "        error(lua.string.gsub(name .. '(' .. lua.table.concat(list, ', ') .. '): ' "
    ".. wanted\n"
    "            .. ', but ours: ' .. got, '[^ -~]', '?'), 0)\n"
    "    end\n"
    "end\n"
    "function pick(list) return list[math.random(#list)] end\n"
    "math.randomseed(7)\n";

/* Lua's libraries are `lua.string` and `lua.table`, with ours put in `own.string`. */
static lua_State *open_both(void)
{
    static const char copy[] =
        "lua, own = { string = {}, table = {} }, { string = string, table = table }\n"
        "for library in pairs(own) do\n"
        "    for name, value in pairs(own[library]) do lua[library][name] = value end\n"
        "end\n";
    lua_State *lua = luaL_newstate();
    luaL_openlibs(lua);
    ck_assert_int_eq(luaL_dostring(lua, copy), LUA_OK);
    strings_install(lua);
    tables_install(lua);
    ck_assert_msg(luaL_dostring(lua, prelude) == LUA_OK, "%s", lua_tostring(lua, -1));
    return lua;
}

static void run_both(const char *text)
{
    lua_State *lua = open_both();
    ck_assert_msg(luaL_dostring(lua, text) == LUA_OK, "%s", lua_tostring(lua, -1));
    lua_close(lua);
}

START_TEST(patterns)
{
    run_both(
        "local pieces = { 'a', 'b', '.', '%a', '%d', '%S', '[ab]', '[^a]', '[a-c%d]', "
        "'(',\n"
        "    ')', '()', '*', '+', '-', '?', '%1', '%2', '%b()', '%bab', '%f[%a]', "
        "'%f[^b]',\n"
        "    '$', '^', '%', '[', ']', '[]]', '[^]-]', '%z', '\\0', '%.', '[%', '%f', "
        "'%b',\n"
        "    '[a-]', '[%a-z]', '%w', '%g', '%c', '%x', '%P', '%u', '%l', '%s', '\\255', "
        "'é',\n"
        "    '[\\0-\\31]', '%0', '%9', '[z-a]', '[a-%z]', '[%]x]' }\n"
        "local letters = { 'a', 'b', 'c', 'a', 'b', '(', ')', '1', ' ', '\\0', '\\255', "
        "'.' }\n"
        "local texts = { 'x', '%0', '<%1>', '%2', '%%', '%', '%x', { a = 'A', ab = 1, b "
        "= false\n"
        "    }, string.upper, function() end, function(a, b) return b end,\n"
        "    function() return {} end, 5, true }\n"
        "local function made(list, most)\n"
        "    local parts = {}\n"
        "    for i = 1, math.random(0, most) do parts[i] = pick(list) end\n"
        "    return lua.table.concat(parts)\n"
        "end\n"
        "for _ = 1, 60000 do\n"
        "    local text, pattern = made(letters, 12), made(pieces, 5)\n"
        "    local from = math.random() < 0.5 and math.random(-14, 14) or nil\n"
        "    compare('string.find', text, pattern, from, math.random() < 0.1)\n"
        "    compare('string.match', text, pattern, from)\n"
        "    compare('string.gsub', text, pattern, pick(texts), math.random() < 0.2\n"
        "        and math.random(-1, 3) or nil)\n"
        "    local function all(library)\n"
        "        local list, count = {}, 0\n"
        "        for a, b in library.string.gmatch(text, pattern, from) do\n"
        "            count = count + 1\n"
        "            list[count] = tostring(a) .. ',' .. tostring(b)\n"
        "        end\n"
        "        return lua.table.concat(list, ';')\n"
        "    end\n"
        "    local wanted, got = { pcall(all, lua) }, { pcall(all, own) }\n"
        "    assert(wanted[1] == got[1] and (wanted[2] == got[2] or not wanted[1]), "
        "pattern)\n"
        "end\n"
        "compare('string.match', ('a'):rep(300), ('a?'):rep(300))\n"
        "compare('string.match', 'x', ('()'):rep(33))\n"
        "compare('string.find', 5, 5)\n"
        "compare('string.find', {}, 5)\n"
        "compare('string.gsub', 'x')\n");
}
END_TEST

START_TEST(repetition)
{
    run_both("for _ = 1, 5000 do\n"
             "    compare('string.rep', pick{ '', 'a', 'abc', ('x'):rep(100) },\n"
             "        pick{ -1, 0, 1, 2, 3, 7, 100, 2.0 },\n"
             "        pick{ '', ',', ', ' })\n"
             "end\n"
             "compare('string.rep', 'ab', 3)\n"
             "compare('string.rep', 'ab', {})\n"
             "compare('string.rep', nil, 2)\n"
             "assert(own.string.rep('', math.maxinteger) == '')\n");
}
END_TEST

START_TEST(table_functions)
{
    run_both(
        "for _ = 1, 20000 do\n"
        "    local list = {}\n"
        "    for i = 1, math.random(0, 6) do list[i] = math.random(9) end\n"
        "    compare('table.insert', list, math.random(-1, 8), 'x')\n"
        "    compare('table.remove', list, math.random(-1, 8))\n"
        "    compare('table.move', list, math.random(-2, 6), math.random(-2, 7),\n"
        "        math.random(1, 6))\n"
        "    compare('table.move', list, math.random(1, 4), math.random(0, 6), 2, { 1 "
        "})\n"
        "    compare('table.concat', list, ',', math.random(0, 3), math.random(0, 7))\n"
        "    compare('table.concat', list)\n"
        "    compare('table.sort', list, pick{ rawlen, nil, function(a, b) return a > b "
        "end })\n"
        "end\n"
        "for _, list in ipairs{ {}, { 1 } } do\n"
        "    compare('table.insert', list)\n"
        "    compare('table.insert', list, 'a')\n"
        "    compare('table.insert', list, nil)\n"
        "    compare('table.insert', list, 1, 2, 3)\n"
        "    compare('table.remove', list)\n"
        "    compare('table.remove', list, 'x')\n"
        "    compare('table.concat', list, {})\n"
        "    compare('table.concat', list, ',', 1, 3)\n"
        "    compare('table.sort', list, 5)\n"
        "end\n"
        "compare('table.move', {}, 1, math.maxinteger, 2)\n"
        "compare('table.move', {}, math.mininteger, 5, 2)\n"
        "compare('table.sort', { 3, 'a' })\n"
        "for _, name in ipairs{ 'insert', 'remove', 'move', 'concat', 'sort' } do\n"
        "    compare('table.' .. name, 5, 1, 2, 3)\n"
        "end\n"
        "local long = {}\n"
        "for i = 1, 30000 do long[i] = i * 7919 % 30011 end\n"
        "own.table.sort(long)\n"
        "for i = 2, #long do assert(long[i - 1] < long[i]) end\n"
        "own.table.sort(long, function(a, b) return a > b end)\n"
        "for i = 2, #long do assert(long[i - 1] > long[i]) end\n");
}
END_TEST

Suite *library_suite(void)
{
    Suite *suite = suite_create("library");
    TCase *same = tcase_create("same");
    tcase_set_timeout(same, 60);
    tcase_add_test(same, patterns);
    tcase_add_test(same, repetition);
    tcase_add_test(same, table_functions);
    suite_add_tcase(suite, same);
    return suite;
}
