/* The typed fields of a config: one row of fields.def drives reading, range, default,
 * dump and help. Long lists (`data`) are read by hand below. */
#include "gen/config/fields.h"

#include "gen/config/field_table.h"
#include "gen/config/layer_names.h"
#include "gen/config/sandbox.h"
#include "runtime/base/support.h"
#include "runtime/base/text.h"

#include <fnmatch.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_PATTERN = 256, MOST_LISTS = 3 };

/* What a section has besides its rows of fields.def. */
static const char *const data_lists[] = {"mean", "std", "classes", NULL};
static const char *const train_lists[] = {"milestones", NULL};
static const char *const quant_lists[] = {"layers", NULL};
static const char *const no_lists[] = {NULL};

bool fields_unknown(lua_State *lua, int table, const char *path, const char *section,
                    const char *name)
{
    const char *nearest = sandbox_nearest(lua, table, name);
    const char *dot = *section ? "." : "";
    if (nearest)
        return rt_fail("%s: unknown field %s%s%s; did you mean %s%s%s?", path, section,
                       dot, name, section, dot, nearest);
    return rt_fail("%s: unknown field %s%s%s", path, section, dot, name);
}

/* ENUM: the word on top of the stack as its index. */
static bool read_word(lua_State *lua, const char *path, const Field *field, double *value)
{
    const char *const *words = field_words(field);
    const char *text = lua_type(lua, -1) == LUA_TSTRING ? lua_tostring(lua, -1) : "";
    char list[128] = "";
    for (int i = 0; i <= (int)field->high; i++) {
        if (strcmp(text, words[i]) == 0) {
            *value = i;
            return true;
        }
        size_t end = strlen(list);
        snprintf(list + end, sizeof list - end, "%s'%s'",
                 i == 0                  ? ""
                 : i == (int)field->high ? " or "
                                         : ", ",
                 words[i]);
    }
    return rt_fail("%s: %s.%s: want %s", path, field->section, field->name, list);
}

/* The value on top of the stack as the field's, or, for nil, its default. */
static bool read_value(lua_State *lua, const char *path, const Field *field,
                       double *value)
{
    int type = lua_type(lua, -1);
    *value = type == LUA_TNIL ? field->otherwise : lua_tonumber(lua, -1);
    if (type == LUA_TNIL)
        return true;
    if (field->kind == KIND_ENUM)
        return read_word(lua, path, field, value);
    if (field->kind == KIND_BOOL) {
        *value = lua_toboolean(lua, -1);
        return type == LUA_TBOOLEAN || rt_fail("%s: %s.%s: want true or false", path,
                                               field->section, field->name);
    }
    bool bits = field->kind == KIND_BITS, whole = bits || field->kind == KIND_INT;
    bool good =
        (*value >= field->low && *value <= field->high) || (bits && *value == FLOAT_BITS);
    if (type == LUA_TNUMBER && good && (!whole || *value == floor(*value)))
        return true;
    if (type != LUA_TNUMBER) /* not the text of a string, which may look like a number */
        lua_pushstring(lua, luaL_typename(lua, -1));
    return rt_fail("%s: %s.%s: %s, want %s from %.15g to %.15g%s", path, field->section,
                   field->name, luaL_tolstring(lua, -1, NULL),
                   whole ? "a whole number" : "a number", field->low, field->high,
                   bits ? ", or 32" : "");
}

/* Push the section's table (an empty one when the config has none). */
static bool push_section(lua_State *lua, const Config *config, const char *section)
{
    int type = lua_getfield(lua, 1, section);
    if (type == LUA_TNIL) {
        lua_pop(lua, 1);
        lua_newtable(lua);
    } else if (type != LUA_TTABLE) {
        return rt_fail("%s: %s: want a table, got %s", config->path, section,
                       luaL_typename(lua, -1));
    }
    return true;
}

/* Refuse string keys of the table on top that are not among names. */
static bool check_names(lua_State *lua, const Config *config, const char *section,
                        const char *const *names, int count)
{
    int table = lua_gettop(lua);
    sandbox_sorted_keys(lua, table);
    int keys = (int)lua_rawlen(lua, -1);
    for (int i = 1; i <= keys; i++) {
        lua_rawgeti(lua, table + 1, i);
        if (lua_type(lua, -1) != LUA_TSTRING)
            return rt_fail("%s: %s: want named fields, got a list", config->path,
                           *section ? section : "config");
        bool known = false;
        for (int j = 0; j < count; j++)
            known = known || strcmp(lua_tostring(lua, -1), names[j]) == 0;
        if (!known) {
            lua_newtable(lua);
            for (int j = 0; j < count; j++) {
                lua_pushboolean(lua, 1);
                lua_setfield(lua, -2, names[j]);
            }
            return fields_unknown(lua, lua_gettop(lua), config->path, section,
                                  lua_tostring(lua, -2));
        }
        lua_pop(lua, 1);
    }
    lua_settop(lua, table);
    return true;
}

/* How many values the list on top has; -1 with named fields or gaps in it. */
static int list_length(lua_State *lua)
{
    lua_Unsigned length = lua_rawlen(lua, -1), fields = 0;
    for (lua_pushnil(lua); lua_next(lua, -2); lua_pop(lua, 1))
        fields++;
    return length == fields && length <= INT_MAX ? (int)length : -1;
}

/* train.milestones: a rising list of epochs. */
static bool read_milestones(lua_State *lua, Config *config)
{
    Recipe *recipe = &config->recipe;
    int type = lua_getfield(lua, -1, "milestones");
    int count = type == LUA_TTABLE ? list_length(lua) : 0;
    int most = sizeof recipe->milestones / sizeof *recipe->milestones;
    bool ok = type == LUA_TNIL || (type == LUA_TTABLE && count >= 0 && count <= most);
    for (int i = 0; ok && i < count; i++) {
        lua_rawgeti(lua, -1, i + 1);
        lua_Integer epoch = lua_tointegerx(lua, -1, NULL);
        lua_pop(lua, 1);
        ok = epoch > (i ? recipe->milestones[i - 1] : 0) && epoch <= 100000;
        recipe->milestones[i] = (int)epoch;
    }
    recipe->milestone_count = count;
    lua_pop(lua, 1);
    return ok || rt_fail("%s: train.milestones: want a list of at most %d rising epochs",
                         config->path, most);
}

/* The fields that a table gives, by index: read once, stored where they are meant. */
typedef struct {
    const Field *field;
    double value;
} Given;

/* The fields of `section` from the table on top, which may have `lists` besides; how
 * many, or -1. Missing ones have their default, or, for overrides, are none. */
static int read_rows(lua_State *lua, const Config *config, const char *section,
                     const char *const *lists, bool override, Given given[FIELDS])
{
    const char *names[FIELDS + MOST_LISTS];
    int known = 0, count = 0;
    for (; *lists; lists++)
        names[known++] = *lists;
    for (int i = 0; i < FIELDS; i++)
        if (strcmp(field_rows[i].section, section) == 0)
            names[known++] = field_rows[i].name;
    if (!check_names(lua, config, section, names, known))
        return -1;
    int table = lua_gettop(lua);
    for (int i = 0; i < FIELDS; i++) {
        if (strcmp(field_rows[i].section, section) != 0)
            continue;
        given[count].field = &field_rows[i];
        int type = lua_getfield(lua, table, field_rows[i].name);
        if (type != LUA_TNIL || !override)
            if (!read_value(lua, config->path, &field_rows[i], &given[count++].value))
                return -1;
        lua_settop(lua, table);
    }
    return count;
}

/* The section's fields into the config. */
static bool read_section(lua_State *lua, Config *config, const char *section,
                         const char *const *lists)
{
    Given given[FIELDS];
    int count = read_rows(lua, config, section, lists, false, given);
    for (int i = 0; i < count; i++)
        field_store(config, given[i].field, given[i].value);
    return count >= 0;
}

/* A steepness whose gradient is finite. */
static bool check_quant(const char *path, const Quant *quant)
{
    return quant->gradient != ROUND_INVTANH || quant->steepness < 1.05 ||
           rt_fail("%s: quant.steepness: %g, want less than 1.05 with invtanh", path,
                   quant->steepness);
}

/* "s1b0_conv1" matches what is derived from it, too: s1b0_conv1_relu. */
bool fields_match_layer(const char *pattern, const char *layer)
{
    if (fnmatch(pattern, layer, 0) == 0)
        return true;
    char base[NAME_SIZE];
    snprintf(base, sizeof base, "%s", layer);
    bool cut = cut_activation(base);
    cut = cut_word(base, "_add") || cut;
    cut = cut_word(base, "_bn") || cut;
    return cut && fnmatch(pattern, base, 0) == 0;
}

/* Change those fields of the layers that the pattern means. */
static bool override_layers(Config *config, const char *pattern, const Given *given,
                            int count)
{
    for (int i = 0; i < count; i++)
        if (!field_in_quant(given[i].field))
            return rt_fail("%s: quant.layers: %s is the whole net's, not a layer's",
                           config->path, given[i].field->name);
    bool any = false;
    for (int i = 0; i < config->net.op_count; i++) {
        Op *op = &config->net.ops[i];
        if (!fields_match_layer(pattern, op->name))
            continue;
        any = true;
        for (int j = 0; j < count; j++)
            field_store_quant(&op->quant, given[j].field, given[j].value);
        if (!check_quant(config->path, &op->quant))
            return false;
    }
    return any ||
           rt_fail("%s: quant.layers: no layer matches '%s'", config->path, pattern);
}

/* The override on top, { "pattern", field = value, ... }, for the layers it matches. */
static bool read_override(lua_State *lua, Config *config)
{
    if (lua_type(lua, -1) != LUA_TTABLE || lua_rawgeti(lua, -1, 1) != LUA_TSTRING)
        return rt_fail(
            "%s: quant.layers: want a list of { \"pattern\", field = value, ... }",
            config->path);
    const char *pattern = lua_tostring(lua, -1);
    if (lua_rawlen(lua, -1) > MOST_PATTERN)
        return rt_fail("%s: quant.layers: a pattern of %zu letters, want at most %d",
                       config->path, (size_t)lua_rawlen(lua, -1), MOST_PATTERN);
    lua_insert(lua, -2); /* the pattern stays alive below the table */
    lua_pushnil(lua);
    lua_rawseti(lua, -2, 1); /* only named fields are left */
    Given given[FIELDS];
    int count = read_rows(lua, config, "quant", no_lists, true, given);
    if (count < 0 || !override_layers(config, pattern, given, count))
        return false;
    lua_pushvalue(lua, -2);
    lua_rawseti(lua, -2, 1);
    lua_remove(lua, -2);
    return true;
}

/* quant.layers from the section on top. */
static bool read_overrides(lua_State *lua, Config *config)
{
    int type = lua_getfield(lua, -1, "layers");
    if (type != LUA_TNIL && type != LUA_TTABLE)
        return rt_fail("%s: quant.layers: want a list", config->path);
    int count = type == LUA_TTABLE ? (int)lua_rawlen(lua, -1) : 0;
    for (int i = 1; i <= count; i++) {
        lua_rawgeti(lua, -1, i);
        if (!sandbox_in_time(lua) || !read_override(lua, config))
            return false;
        lua_pop(lua, 1);
    }
    return true;
}

static bool read_quant(lua_State *lua, Config *config)
{
    int type = lua_getfield(lua, 1, "quant");
    lua_pop(lua, 1);
    if (!push_section(lua, config, "quant") ||
        !read_section(lua, config, "quant", quant_lists) ||
        !check_quant(config->path, &config->quant))
        return false;
    if (type == LUA_TTABLE && config->quant.quantizer == RT_QUANT_NONE) {
        lua_getfield(lua, -1, "quantizer");
        bool given = !lua_isnil(lua, -1);
        lua_pop(lua, 1);
        if (!given)
            return rt_fail("%s: quant.quantizer is missing; see lathe show --fields",
                           config->path);
    }
    for (int i = 0; i < config->net.op_count; i++)
        config->net.ops[i].quant = config->quant;
    if (!read_overrides(lua, config))
        return false;
    lua_settop(lua, 1);
    return true;
}

/* Fields that do not go together. */
static bool check_train(const Config *config)
{
    const Recipe *recipe = &config->recipe;
    int channels = net_pixels(&config->net)->c;
    if (channels != 3 && (recipe->saturation > 0 || recipe->hue > 0))
        return rt_fail("%s: train.%s: want images of 3 channels, these have %d",
                       config->path, recipe->hue > 0 ? "hue" : "saturation", channels);
    if (config->net.chunks & (config->net.chunks - 1))
        return rt_fail("%s: train.chunks: %d, want a power of two", config->path,
                       config->net.chunks);
    return recipe->erase_least <= recipe->erase_most ||
           rt_fail("%s: train.erase_least: %g, want at most erase_most, %g", config->path,
                   recipe->erase_least, recipe->erase_most);
}

/* Statistics of one image alone would be another normalisation than evaluation's. */
static bool check_norm(const Config *config)
{
    int last = (config->recipe.batch - 1) % config->micro_batch + 1;
    return config->net.norm == NORM_BATCH || last >= 2 * config->net.chunks ||
           rt_fail("%s: train.bn: 'chunk', but a pass of %d images has %d chunks "
                   "(train.chunks): want at least 2 images in each",
                   config->path, last, config->net.chunks);
}

static bool read_train(lua_State *lua, Config *config)
{
    if (!push_section(lua, config, "train"))
        return false;
    if (!read_section(lua, config, "train", train_lists) ||
        !read_milestones(lua, config) || !check_train(config))
        return false;
    lua_pop(lua, 1);
    if (config->micro_batch == 0 || config->micro_batch > config->recipe.batch)
        config->micro_batch = config->recipe.batch;
    return check_norm(config);
}

/* data.mean, data.std: a number, or a list with one per channel. */
static bool read_channels(lua_State *lua, const Config *config, const char *name,
                          double otherwise, double least, double *values)
{
    int channels = net_pixels(&config->net)->c;
    int type = lua_getfield(lua, -1, name);
    bool ok = type == LUA_TNIL || type == LUA_TNUMBER ||
              (type == LUA_TTABLE && list_length(lua) == channels);
    for (int i = 0; ok && i < channels; i++) {
        values[i] = type == LUA_TNIL ? otherwise : lua_tonumber(lua, -1);
        if (type == LUA_TTABLE) {
            ok = lua_rawgeti(lua, -1, i + 1) == LUA_TNUMBER;
            values[i] = lua_tonumber(lua, -1);
            lua_pop(lua, 1);
        }
        ok = ok && values[i] >= least && values[i] <= 255;
    }
    lua_pop(lua, 1);
    return ok ||
           rt_fail("%s: data.%s: want a number of pixel units from %g to 255, or a list "
                   "of %d of them",
                   config->path, name, least, channels);
}

static bool read_classes(lua_State *lua, Config *config)
{
    int classes = config->net.tensors[config->output].c;
    int type = lua_getfield(lua, -1, "classes");
    int count = type == LUA_TTABLE ? list_length(lua) : classes;
    bool ok = type == LUA_TNIL || (type == LUA_TTABLE && count >= 0);
    if (ok && count != classes)
        return rt_fail(
            "%s: data.classes: %d names, but the last layer puts out %d scores",
            config->path, count, classes);
    config->class_names = rt_alloc(classes * sizeof(char *));
    config->class_count = classes;
    config->names_classes = type != LUA_TNIL;
    for (int i = 0; i < classes; i++) {
        const char *name = NULL;
        if (type == LUA_TTABLE) {
            lua_rawgeti(lua, -1, i + 1);
            name = lua_type(lua, -1) == LUA_TSTRING ? lua_tostring(lua, -1) : NULL;
            ok = ok && name && *name && rt_is_shown(name) &&
                 strlen(name) == lua_rawlen(lua, -1);
        }
        config->class_names[i] = name ? rt_format("%s", name) : rt_format("class %d", i);
        if (type == LUA_TTABLE)
            lua_pop(lua, 1);
    }
    lua_pop(lua, 1);
    return ok ||
           rt_fail("%s: data.classes: want a list of names without control characters",
                   config->path);
}

static bool read_data(lua_State *lua, Config *config)
{
    bool ok = push_section(lua, config, "data") &&
              read_section(lua, config, "data", data_lists) &&
              read_channels(lua, config, "mean", 127, 0, config->mean) &&
              read_channels(lua, config, "std", 128, 1e-3, config->std) &&
              read_classes(lua, config);
    lua_settop(lua, 1);
    return ok;
}

bool fields_read(lua_State *lua, Config *config)
{
    const char *const sections[] = {"net", "data", "train", "quant"};
    lua_settop(lua, 1);
    return check_names(lua, config, "", sections, 4) && read_train(lua, config) &&
           read_data(lua, config) && read_quant(lua, config);
}
