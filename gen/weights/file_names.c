/* Names in weight files: renames by the user, and what wrappers put in front. */
#include "gen/weights/file_names.h"

#include <lauxlib.h>
#include <lualib.h>
#include <stdlib.h>
#include <string.h>

#include "gen/weights/reader.h"
#include "runtime/base/support.h"

static int compare_names(const void *a, const void *b)
{
    return strcmp(((const FileName *)a)->name, ((const FileName *)b)->name);
}

static void sort(FileNames *file)
{
    qsort(file->items, (size_t)file->count, sizeof *file->items, compare_names);
}

/* ---- Renames, by Lua's own patterns ---- */

/* string.gsub(name, from, to); its result and count are on the stack. */
static bool substitute(lua_State *lua, const char *rename, const char *name)
{
    const char *equals = strchr(rename, '=');
    lua_settop(lua, 0);
    lua_getglobal(lua, "string");
    lua_getfield(lua, -1, "gsub");
    lua_pushstring(lua, name);
    lua_pushlstring(lua, rename, (size_t)(equals - rename));
    lua_pushstring(lua, equals + 1);
    return lua_pcall(lua, 3, 2, 0) == LUA_OK ||
           rt_fail("--rename '%s': %s", rename, lua_tostring(lua, -1));
}

static bool apply(FileNames *file, lua_State *lua, const char *rename)
{
    bool matched = false;
    if (strchr(rename, '=') == NULL || *rename == '=')
        return rt_fail("--rename '%s': want 'FROM=TO', such as 'fc=linear'", rename);
    for (int i = 0; i < file->count; i++) {
        FileName *item = &file->items[i];
        if (!substitute(lua, rename, item->renamed))
            return false;
        if (lua_tointeger(lua, -1) == 0)
            continue;
        size_t length;
        const char *name = lua_tolstring(lua, -2, &length);
        if (strlen(name) != length || !weights_name_ok(name, length))
            return rt_fail("--rename '%s': %s gets a name that is empty, longer than 255 "
                           "bytes or not text",
                           rename, item->array->name);
        matched = true;
        free(item->renamed);
        item->renamed = rt_format("%s", name);
    }
    return matched ||
           rt_fail("--rename '%s': matches no array of %s", rename, file->path);
}

static bool apply_all(FileNames *file, const char *const *renames, int count)
{
    lua_State *lua = count > 0 ? luaL_newstate() : NULL;
    bool ok = count == 0 || lua || rt_fail("out of memory");
    if (lua)
        luaL_requiref(lua, "string", luaopen_string, 1);
    for (int i = 0; i < count && ok; i++)
        ok = apply(file, lua, renames[i]);
    if (lua)
        lua_close(lua);
    return ok;
}

/* ---- The table ---- */

bool file_names_open(FileNames *file, const char *path, const Array *arrays, int count,
                     const char *const *renames, int rename_count)
{
    *file = (FileNames){path, rt_alloc((size_t)count * sizeof *file->items), count};
    for (int i = 0; i < count; i++)
        file->items[i] =
            (FileName){.renamed = rt_format("%s", arrays[i].name), .array = &arrays[i]};
    if (!apply_all(file, renames, rename_count))
        return false;
    for (int i = 0; i < count; i++)
        file->items[i].name = file->items[i].renamed;
    sort(file);
    for (int i = 1; i < count; i++)
        if (compare_names(&file->items[i - 1], &file->items[i]) == 0)
            return rt_fail("%s: %s and %s are both renamed to %s", path,
                           file->items[i - 1].array->name, file->items[i].array->name,
                           file->items[i].name);
    return true;
}

void file_names_free(FileNames *file)
{
    for (int i = 0; i < file->count; i++)
        free(file->items[i].renamed);
    free(file->items);
}

bool file_name_is_counter(const char *name)
{
    static const char *const counters[] = {"num_batches_tracked", "n_averaged"};
    const char *dot = strrchr(name, '.');
    for (int i = 0; i < 2; i++)
        if (strcmp(dot ? dot + 1 : name, counters[i]) == 0)
            return true;
    return false;
}

/* The bytes of the next part, with its '.', when all names but counters begin with the
 * same one; else 0. */
static size_t common_part(const FileNames *file)
{
    const char *first = NULL;
    size_t length = 0;
    for (int i = 0; i < file->count; i++) {
        const char *name = file->items[i].name, *dot = strchr(name, '.');
        if (file_name_is_counter(name))
            continue;
        if (dot == NULL || (first && strncmp(name, first, length) != 0))
            return 0;
        if (first == NULL)
            length = (size_t)(dot + 1 - name);
        first = name;
    }
    return length;
}

/* A counter beside the modules has no prefix to lose. */
static void drop(FileNames *file, const char *part, size_t length)
{
    for (int i = 0; i < file->count; i++)
        if (strncmp(file->items[i].name, part, length) == 0)
            file->items[i].name += length;
}

static char *copy_part(const FileNames *file, size_t length)
{
    for (int i = 0; i < file->count; i++)
        if (!file_name_is_counter(file->items[i].name))
            return rt_format("%.*s", (int)length, file->items[i].name);
    return NULL;
}

void file_names_strip(FileNames *file, int (*matches)(const FileNames *, const void *),
                      const void *context)
{
    enum { MOST_PARTS = 8 };
    FileNames best = *file;
    best.items = rt_alloc((size_t)file->count * sizeof *best.items);
    memcpy(best.items, file->items, (size_t)file->count * sizeof *best.items);
    int most = matches(file, context);
    size_t length;
    for (int i = 0; i < MOST_PARTS && (length = common_part(file)) > 0; i++) {
        char *part = copy_part(file, length);
        drop(file, part, length);
        free(part);
        sort(file);
        int found = matches(file, context);
        if (found <= most)
            continue;
        most = found;
        memcpy(best.items, file->items, (size_t)file->count * sizeof *best.items);
    }
    free(file->items);
    *file = best;
}

FileName *file_names_find(const FileNames *file, const char *prefix, const char *name,
                          size_t length)
{
    char *full = rt_format("%s%.*s", prefix, (int)length, name);
    FileName wanted = {.name = full};
    FileName *found =
        bsearch(&wanted, file->items, (size_t)file->count, sizeof wanted, compare_names);
    free(full);
    return found;
}
