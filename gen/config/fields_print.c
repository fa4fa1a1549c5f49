/* Fields of a config as text: sorted lines, C initialisers, help. */
#include "gen/config/fields.h"

#include "gen/config/field_table.h"
#include "gen/config/sandbox.h"
#include "gen/ir/params.h"
#include "runtime/base/support.h"

#include <stdlib.h>
#include <string.h>

/* The shortest digits that read back as the same number. */
static void print_number(FILE *file, double value)
{
    char digits[32];
    for (int precision = 15; precision <= 17; precision++) {
        snprintf(digits, sizeof digits, "%.*g", precision, value);
        if (strtod(digits, NULL) == value)
            break;
    }
    fputs(digits, file);
}

/* The description's fields, in key order; functions are its business alone. */
static void print_net(lua_State *lua, FILE *file)
{
    lua_getfield(lua, 1, "net");
    int net = lua_gettop(lua);
    sandbox_sorted_keys(lua, net);
    int keys = (int)lua_rawlen(lua, -1);
    for (int i = 1; i <= keys; i++) {
        lua_rawgeti(lua, net + 1, i);
        const char *name = lua_tostring(lua, -1);
        int type = lua_getfield(lua, net, name);
        if (type == LUA_TNUMBER || type == LUA_TSTRING || type == LUA_TBOOLEAN)
            fprintf(file, "net.%s=%s\n", name, luaL_tolstring(lua, -1, NULL));
        lua_settop(lua, net + 1);
    }
    lua_settop(lua, 1);
}

/* The momentum of batch normalisation that does not say its own. */
static double net_momentum(lua_State *lua)
{
    lua_getfield(lua, 1, "net");
    bool given = lua_getfield(lua, -1, "bn_momentum") == LUA_TNUMBER;
    double momentum = given ? lua_tonumber(lua, -1) : 0.1;
    lua_settop(lua, 1);
    return momentum;
}

/* What a layer says of training alone, where it is not the default: all else that it says
 * is in the architecture. Runs of before have none of these lines, nor the first, by
 * which checkpoint_match.c knows them. */
static void print_layers(lua_State *lua, FILE *file, const Config *config)
{
    const double momentum = net_momentum(lua);
    fputs("layer.fields=recorded\n", file);
    for (int i = 0; i < config->net.op_count; i++) {
        const Op *op = &config->net.ops[i];
        ParamInit usual = op->kind == OP_CONV ? INIT_HE_NORMAL : INIT_LECUN_NORMAL;
        if (op_is(op, WEIGHTS) && op_in(&config->net, op, "w")->init != usual)
            fprintf(file, "layer.%s.init=%s\n", op->name,
                    init_words[op_in(&config->net, op, "w")->init]);
        if (op->kind == OP_BN && op->momentum != momentum) {
            fprintf(file, "layer.%s.momentum=", op->name);
            print_number(file, op->momentum);
            fputc('\n', file);
        }
        if (op->kind == OP_BN && op_in(&config->net, op, "scale")->init == INIT_ZERO)
            fprintf(file, "layer.%s.scale=0\n", op->name);
        if (op->kind == OP_DROPOUT) {
            fprintf(file, "layer.%s.rate=", op->name);
            print_number(file, op->rate);
            fputc('\n', file);
        }
    }
}

static void print_value(FILE *file, const Field *field, double value)
{
    if (field->kind == KIND_ENUM)
        fputs(field_words(field)[(int)value], file);
    else if (field->kind == KIND_BOOL)
        fputs(value != 0 ? "true" : "false", file);
    else
        print_number(file, value);
}

static void print_field(FILE *file, const Config *config, const Field *field)
{
    fprintf(file, "%s.%s=", field->section, field->name);
    print_value(file, field, field_fetch(config, field));
    fputc('\n', file);
}

static int compare_rows(const void *a, const void *b)
{
    return strcmp((*(const Field *const *)a)->name, (*(const Field *const *)b)->name);
}

static void print_milestones(FILE *file, const Config *config)
{
    fputs("train.milestones={", file);
    for (int i = 0; i < config->recipe.milestone_count; i++)
        fprintf(file, "%s%d", i ? "," : "", config->recipe.milestones[i]);
    fputs("}\n", file);
}

static bool is_recorded(const Config *config, const Field *field)
{
    return !(field->what & (OF_PICTURES | WHERE_SET)) ||
           field_fetch(config, field) != field->otherwise;
}

static void print_recorded(FILE *file, const Config *config, int row)
{
    if (is_recorded(config, &field_rows[row]))
        print_field(file, config, &field_rows[row]);
}

static void print_section(FILE *file, const Config *config, const char *section)
{
    const Field *sorted[FIELDS];
    int count = 0;
    for (int i = 0; i < FIELDS; i++)
        if (strcmp(field_rows[i].section, section) == 0 &&
            is_recorded(config, &field_rows[i]))
            sorted[count++] = &field_rows[i];
    qsort(sorted, count, sizeof *sorted, compare_rows);
    for (int i = 0; i < count; i++) {
        bool before = i == 0 || strcmp(sorted[i - 1]->name, "milestones") < 0;
        if (before && strcmp(sorted[i]->name, "milestones") > 0 &&
            strcmp(section, "train") == 0)
            print_milestones(file, config);
        print_field(file, config, sorted[i]);
    }
}

/* A layer's fields beyond bits and quantiser, where they differ from the default. */
static void print_differing(FILE *file, const Config *config, const Op *op)
{
    for (int i = 0; i < FIELDS; i++) {
        const Field *field = &field_rows[i];
        if (!field_in_quant(field) || i == FIELD_quant_quantizer ||
            i == FIELD_quant_w_bits || i == FIELD_quant_a_bits)
            continue;
        double value = field_fetch_quant(&op->quant, field);
        if (value == field_fetch(config, field))
            continue;
        fprintf(file, " %s=", field->name);
        print_value(file, field, value);
    }
}

/* Bits of each layer, and more, where it is not quantised like the others. */
static void print_overrides(FILE *file, const Config *config)
{
    for (int i = 0; i < config->net.op_count; i++) {
        const Op *op = &config->net.ops[i];
        if (memcmp(&op->quant, &config->quant, sizeof op->quant) == 0)
            continue;
        const char *const *quantizers = field_words(&field_rows[FIELD_quant_quantizer]);
        fprintf(file, "quant.layers.%s=%d/%d %s", op->name, op->quant.w_bits,
                op->quant.a_bits, quantizers[op->quant.quantizer]);
        print_differing(file, config, op);
        fputc('\n', file);
    }
}

static bool is_of(const Op *op, const Field *field)
{
    bool weights = op_is(op, WEIGHTS) || op_is(op, BIAS);
    return (field->what & OF_WEIGHTS && weights) ||
           (field->what & OF_ACTIVATIONS && op_is(op, ACTIVATION));
}

/* What the weights of each quantised layer depend on: for use alone, or also `in_making`
 * them. A line for each, however the config came to say so. */
static void print_quantisers(FILE *file, const Config *config, bool in_making)
{
    for (int i = 0; i < config->net.op_count; i++) {
        const Op *op = &config->net.ops[i];
        if (op->own.quantizer == RT_QUANT_NONE && op->bias.quantizer == RT_QUANT_NONE)
            continue;
        const char *gap = "";
        fprintf(file, "quantised.%s=", op->name);
        for (int f = 0; f < FIELDS; f++) {
            const Field *field = &field_rows[f];
            if (!is_of(op, field) || (field->what & OF_RANGES && !in_making))
                continue;
            fprintf(file, "%s%s ", gap, field->name);
            print_value(file, field, field_fetch_quant(&op->quant, field));
            gap = ", ";
        }
        fputc('\n', file);
    }
}

char *fields_record(const Config *config)
{
    char *text = NULL;
    size_t bytes;
    FILE *file = open_memstream(&text, &bytes);
    fputs(config->lines, file);
    print_quantisers(file, config, false);
    fclose(file);
    return text;
}

char *fields_signature(const Config *config)
{
    char *text = NULL;
    size_t bytes;
    FILE *file = open_memstream(&text, &bytes);
    for (const char *line = config->lines; *line;) {
        size_t length = strcspn(line, "\n") + 1;
        if (strncmp(line, "data.", 5) == 0 || strncmp(line, "net.", 4) == 0)
            fwrite(line, 1, length, file);
        line += length;
    }
    print_quantisers(file, config, true);
    fputs(config->arch, file);
    fclose(file);
    return text;
}

static void print_channels(FILE *file, const char *name, const Config *config,
                           const double *values)
{
    int channels = net_pixels(&config->net)->c;
    fprintf(file, "data.%s={", name);
    for (int i = 0; i < channels; i++) {
        fputs(i ? "," : "", file);
        print_number(file, values[i]);
    }
    fputs("}\n", file);
}

char *fields_lines(lua_State *lua, const Config *config)
{
    char *text = NULL;
    size_t bytes;
    FILE *file = open_memstream(&text, &bytes);
    fputs("data.classes=", file);
    for (int i = 0; i < config->class_count; i++)
        fprintf(file, "%s%s", i ? "," : "", config->class_names[i]);
    fputc('\n', file);
    print_channels(file, "mean", config, config->mean);
    print_recorded(file, config, FIELD_data_resize);
    print_channels(file, "std", config, config->std);
    print_recorded(file, config, FIELD_data_test_share);
    print_layers(lua, file, config);
    print_net(lua, file);
    if (quant_used(&config->net)) {
        print_section(file, config, "quant");
        print_overrides(file, config);
    }
    print_section(file, config, "train");
    fclose(file);
    return text;
}

void fields_push_recipe(lua_State *lua, const Config *config)
{
    char text[128];
    lua_newtable(lua);
    int count = 0;
    for (int i = 0; i < FIELDS; i++) {
        const char *member = strchr(field_rows[i].member, '.');
        if (strncmp(field_rows[i].member, "recipe.", 7) != 0)
            continue;
        snprintf(text, sizeof text, "%s = %.17g", member,
                 field_fetch(config, &field_rows[i]));
        lua_pushstring(lua, text);
        lua_rawseti(lua, -2, ++count);
    }
    for (int i = 0; i < config->recipe.milestone_count; i++) {
        snprintf(text, sizeof text, ".milestones[%d] = %d", i,
                 config->recipe.milestones[i]);
        lua_pushstring(lua, text);
        lua_rawseti(lua, -2, ++count);
    }
    snprintf(text, sizeof text, ".milestone_count = %d", config->recipe.milestone_count);
    lua_pushstring(lua, text);
    lua_rawseti(lua, -2, ++count);
}

void config_print_fields(FILE *file)
{
    const char *const lists[][3] = {
        {"data.mean", "127", "of the pixels; a number, or one for each channel"},
        {"data.std", "128", "deviation of the pixels; likewise"},
        {"data.classes", "", "names of the classes; left out: those that the data has"},
        {"train.milestones", "",
         "step: epochs at which lr is multiplied by decay_factor"},
        {"quant.layers", "",
         "list of { \"pattern\", field = value, ... }, later ones win"},
    };
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
        fprintf(file, "  %-24s %-10s %s\n", lists[i][0], lists[i][1], lists[i][2]);
    for (int i = 0; i < FIELDS; i++) {
        char *value = NULL;
        size_t bytes;
        FILE *text = open_memstream(&value, &bytes);
        print_value(text, &field_rows[i], field_rows[i].otherwise);
        fclose(text);
        fprintf(file, "  %s.%-*s %-10s %s\n", field_rows[i].section,
                (int)(23 - strlen(field_rows[i].section)), field_rows[i].name, value,
                field_rows[i].meaning);
        free(value);
    }
}
