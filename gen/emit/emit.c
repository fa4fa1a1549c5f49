/* Fills a template: pushes what passes decided to Lua and runs template.lua. */
#include "gen/emit/emit.h"

#include "gen/config/fields.h"
#include "gen/emit/outside.h"
#include "gen/emit/own_file.h"
#include "gen/emit/profiled.h"
#include "runtime/base/support.h"

#include <lauxlib.h>
#include <lualib.h>
#include <stdlib.h>
#include <string.h>

static void set_string(lua_State *lua, const char *name, const char *value)
{
    if (value == NULL)
        return;
    lua_pushstring(lua, value);
    lua_setfield(lua, -2, name);
}

static void set_net(lua_State *lua, const char *name, const Net *net)
{
    if (net == NULL)
        return;
    net_push(lua, net);
    lua_setfield(lua, -2, name);
}

static void set_flag(lua_State *lua, const char *name, bool value)
{
    lua_pushboolean(lua, value);
    lua_setfield(lua, -2, name);
}

/* words(name): the constant's numbers in C, floats and codes as 32-bit words, eight to a
 * line. Written here because there are millions of them. */
static int constant_words(lua_State *lua)
{
    const Constants *constants = lua_touserdata(lua, lua_upvalueindex(1));
    if (constants == NULL) {
        lua_pushliteral(lua, "    /* from a checkpoint */");
        return 1;
    }
    const Constant *it = constants_find(constants, luaL_checkstring(lua, 1));
    if (it == NULL)
        return luaL_error(lua, "no constant is called %s", lua_tostring(lua, 1));
    enum { MOST = 32 };
    luaL_Buffer buffer;
    char *text = luaL_buffinitsize(lua, &buffer, it->count * MOST), *end = text;
    for (size_t i = 0; i < it->count; i++) {
        if (it->type == TYPE_I64)
            end += sprintf(end, "%lldLL", (long long)((const int64_t *)it->values)[i]);
        else if (it->type == TYPE_I32)
            end += sprintf(end, "%ld", (long)((const int32_t *)it->values)[i]);
        else
            end +=
                sprintf(end, "0x%08lx", (unsigned long)((const uint32_t *)it->values)[i]);
        *end++ = ',';
        *end++ = i % 8 == 7 ? '\n' : ' ';
    }
    luaL_pushresultsize(&buffer, end - text - 2); /* without the last comma */
    return 1;
}

/* What one unit of an integer score is: the constant "<dense layer>.scale". */
static void set_score_unit(lua_State *lua, const EmitInput *input)
{
    if (input->constants == NULL || !quant_used(&input->config->net))
        return;
    char text[64];
    snprintf(text, sizeof text, "%.9gf",
             (double)constants_score_unit(input->constants, input->config));
    set_string(lua, "score_unit", text);
}

/* Pixels, four to a 32-bit word, as a list in C. */
static void push_pixels(lua_State *lua, const uint8_t *pixels, size_t bytes)
{
    luaL_Buffer buffer;
    luaL_buffinit(lua, &buffer);
    for (size_t i = 0; i < bytes; i += 4) {
        uint32_t word = 0;
        for (size_t b = i; b < i + 4 && b < bytes; b++)
            word |= (uint32_t)pixels[b] << 8 * (b % 4);
        char text[16];
        snprintf(text, sizeof text, "0x%08lx,%s", (unsigned long)word,
                 i % 32 == 28 ? "\n" : " ");
        luaL_addstring(&buffer, text);
    }
    luaL_pushresult(&buffer);
}

static void push_scores(lua_State *lua, const int64_t *scores, int classes)
{
    luaL_Buffer buffer;
    luaL_buffinit(lua, &buffer);
    for (int i = 0; i < classes; i++) {
        char text[32];
        snprintf(text, sizeof text, "%lld,%s", (long long)scores[i],
                 i % 8 == 7 ? "\n" : " ");
        luaL_addstring(&buffer, text);
    }
    luaL_pushresult(&buffer);
}

/* The images and their scores. */
static void set_selftest(lua_State *lua, const EmitInput *input)
{
    if (input->selftest == NULL) {
        set_flag(lua, "selftest", false);
        return;
    }
    const ImageSet *set = &input->selftest->images;
    size_t bytes = image_set_bytes(set);
    int classes = input->config->class_count;
    lua_newtable(lua);
    lua_pushinteger(lua, set->count);
    lua_setfield(lua, -2, "count");
    lua_newtable(lua);
    lua_newtable(lua);
    for (int n = 0; n < set->count; n++) {
        push_pixels(lua, image_kept(set, n).pixels, bytes);
        lua_rawseti(lua, -3, n + 1);
        push_scores(lua, input->selftest->scores + (size_t)n * classes, classes);
        lua_rawseti(lua, -2, n + 1);
    }
    lua_setfield(lua, -3, "scores");
    lua_setfield(lua, -2, "images");
    lua_setfield(lua, -2, "selftest");
}

/* text_of(path): a file of lathe's own, to be part of a generated one. */
static int file_text(lua_State *lua)
{
    own_file_push(lua, luaL_checkstring(lua, 1));
    return 1;
}

static void push_numbers(lua_State *lua, const double *values, int count,
                         const char *name)
{
    lua_createtable(lua, count, 0);
    for (int i = 0; i < count; i++) {
        lua_pushnumber(lua, values[i]);
        lua_rawseti(lua, -2, i + 1);
    }
    lua_setfield(lua, -2, name);
}

static void push_config(lua_State *lua, const EmitInput *input)
{
    const Config *config = input->config;
    char **names = input->class_names ? input->class_names->items : config->class_names;
    lua_newtable(lua);
    outside_set(lua, "path", config->path);
    outside_set(lua, "origin", config->origin);
    set_string(lua, "name", config->name);
    outside_set(lua, "record", config->record);
    outside_set(lua, "arch", config->arch);
    set_string(lua, "hash", config->hash);
    push_numbers(lua, config->mean, 4, "mean");
    push_numbers(lua, config->std, 4, "std");
    lua_pushnumber(lua, config_image_step(config));
    lua_setfield(lua, -2, "image_step");
    double factors[4] = {0};
    for (int c = 0; c < net_pixels(&config->net)->c; c++)
        factors[c] = config_image_factor(config, c);
    push_numbers(lua, factors, 4, "image_factor");
    lua_pushinteger(lua, config->micro_batch);
    lua_setfield(lua, -2, "micro_batch");
    lua_pushinteger(lua, config->resize);
    lua_setfield(lua, -2, "resize");
    char share[32];
    snprintf(share, sizeof share, "%.17g", config->test_share);
    set_string(lua, "test_share", share);
    set_string(lua, "skip_broken", config->skip_broken ? "true" : "false");
    lua_createtable(lua, config->class_count, 0);
    for (int i = 0; i < config->class_count; i++) {
        outside_push(lua, names[i]);
        lua_rawseti(lua, -2, i + 1);
    }
    lua_setfield(lua, -2, "class_names");
    set_flag(lua, "names_classes", config->names_classes);
    lua_setfield(lua, -2, "config");
}

static void push_target(lua_State *lua, const Target *target)
{
    lua_newtable(lua);
    set_string(lua, "name", target->name);
    set_string(lua, "cflags", target->cflags);
    set_string(lua, "macros", target->macros);
    set_string(lua, "dots", target->dots);
    set_flag(lua, "board", (target->ships & SHIP_ONLY) != 0);
    lua_pushinteger(lua, target->lanes);
    lua_setfield(lua, -2, "lanes");
    lua_pushinteger(lua, target->integer_lanes);
    lua_setfield(lua, -2, "integer_lanes");
    lua_setfield(lua, -2, "target");
}

/* shipped: a list of the programs and their targets. */
static void push_shipped(lua_State *lua, const ShippedNets *shipped)
{
    lua_createtable(lua, shipped->count, 0);
    for (int i = 0; i < shipped->count; i++) {
        lua_newtable(lua);
        push_target(lua, shipped->variants[i].target);
        set_net(lua, "net", &shipped->variants[i].net);
        lua_pushinteger(lua, shipped->variants[i].program + 1);
        lua_setfield(lua, -2, "program");
        lua_rawseti(lua, -2, i + 1);
    }
    lua_setfield(lua, -2, "shipped");
}

/* The parts of the text, a list on top of the stack. */
static void read_map(lua_State *lua, LineMap *map)
{
    static const char *const kinds[] = {"function", "call", "constant", "kernel", NULL};
    int count = (int)lua_rawlen(lua, -1), list = lua_gettop(lua);
    map->parts = rt_alloc((count + 1) * sizeof(Part));
    for (int i = 0; i < count; i++) {
        Part *part = &map->parts[map->count];
        lua_rawgeti(lua, list, i + 1);
        lua_getfield(lua, list + 1, "what");
        part->kind = luaL_checkoption(lua, -1, NULL, kinds);
        const struct {
            const char *name;
            int *value;
        } numbers[] = {{"first", &part->first},
                       {"last", &part->last},
                       {"op", &part->op},
                       {"variant", &part->variant}};
        for (int n = 0; n < 4; n++) {
            lua_getfield(lua, list + 1, numbers[n].name);
            *numbers[n].value = (int)lua_tointeger(lua, -1);
        }
        lua_getfield(lua, list + 1, "program");
        snprintf(part->program, sizeof part->program, "%s", luaL_optstring(lua, -1, ""));
        lua_getfield(lua, list + 1, "kernel");
        snprintf(part->kernel, sizeof part->kernel, "%s", luaL_optstring(lua, -1, ""));
        lua_settop(lua, list);
        map->count += part->first <= part->last;
    }
}

/* Arguments: template name, EmitInput. Results: the text, its parts. */
static int render(lua_State *lua)
{
    const char *name = lua_touserdata(lua, 1);
    const EmitInput *input = lua_touserdata(lua, 2);
    luaL_openlibs(lua);
    own_file_load(lua, "gen/emit/template.lua");
    lua_call(lua, 0, 1);
    lua_getfield(lua, -1, "render");
    lua_pushcfunction(lua, file_text);
    lua_pushstring(lua, name);
    lua_newtable(lua);
    push_config(lua, input);
    if (input->target)
        push_target(lua, input->target);
    set_net(lua, "layers", input->layers);
    set_net(lua, "train", input->train);
    set_net(lua, "evaluate", input->evaluate);
    if (input->shipped)
        push_shipped(lua, input->shipped);
    outside_set(lua, "header", input->header);
    set_string(lua, "input", input->input);
    lua_pushinteger(lua, input->batch);
    lua_setfield(lua, -2, "batch");
    set_flag(lua, "split", input->split);
    set_flag(lua, "fetch", input->fetch);
    set_flag(lua, "prepare", input->prepare);
    set_flag(lua, "only_weights", input->only_weights);
    set_flag(lua, "profile", input->profile);
    set_flag(lua, "mpi", input->mpi);
    if (input->profile)
        profiled_push(lua, input->train, input->evaluate);
    lua_pushlightuserdata(lua, (void *)input->constants);
    lua_pushcclosure(lua, constant_words, 1);
    lua_setfield(lua, -2, "words");
    set_selftest(lua, input);
    set_score_unit(lua, input);
    lua_pushcfunction(lua, file_text);
    lua_setfield(lua, -2, "text_of");
    outside_set(lua, "command", input->command);
    outside_set(lua, "made", input->made);
    set_flag(lua, "has_made", input->made != NULL);
    set_string(lua, "name", input->name);
    outside_set(lua, "root", input->root);
    set_string(lua, "version", LATHE_VERSION);
    lua_pushinteger(lua, LATHE_ABI);
    lua_setfield(lua, -2, "abi");
    set_flag(lua, "quantised", quant_used(&input->config->net));
    fields_push_recipe(lua, input->config);
    lua_setfield(lua, -2, "recipe");
    if (input->more)
        input->more(lua, input->context);
    outside_push_escapes(lua);
    lua_call(lua, 4, 2);
    return 2;
}

static int with_traceback(lua_State *lua)
{
    luaL_traceback(lua, lua, lua_tostring(lua, 1), 1);
    return 1;
}

char *emit_mapped(const char *name, const EmitInput *input, size_t *bytes, LineMap *map)
{
    lua_State *lua = luaL_newstate();
    lua_pushcfunction(lua, with_traceback);
    lua_pushcfunction(lua, render);
    lua_pushlightuserdata(lua, (void *)name);
    lua_pushlightuserdata(lua, (void *)input);
    *map = (LineMap){0};
    bool failed = lua_pcall(lua, 2, 2, 1) != LUA_OK;
    if (failed && rt_error()[0]) { /* own_file_push could not read */
        lua_close(lua);
        return NULL;
    }
    if (failed) {
        fprintf(stderr, "bug in a template: %s\n", lua_tostring(lua, -1));
        abort();
    }
    read_map(lua, map);
    const char *text = lua_tolstring(lua, -2, bytes);
    char *copy = rt_grow(NULL, *bytes + 1);
    memcpy(copy, text, *bytes + 1);
    lua_close(lua);
    return copy;
}

char *emit(const char *name, const EmitInput *input, size_t *bytes)
{
    LineMap map;
    char *text = emit_mapped(name, input, bytes, &map);
    free(map.parts);
    return text;
}
