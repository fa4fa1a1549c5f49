/* The Net as text, the same for the same Net. */
#include "gen/ir/ir.h"

#define WORD(name, word, ...) word,
const char *const role_names[] = {ROLES(WORD)};
const char *const type_names[] = {TYPES(WORD)};
#undef WORD
#define WORD(name, word) word,
const char *const place_names[] = {PLACES(WORD)};
const char *const lowering_names[] = {LOWERINGS(WORD)};
const char *const norm_names[] = {NORMS(WORD)};
const char *const form_names[] = {FORMS(WORD)};
#undef WORD

static void dump_slots(FILE *file, const Net *net, const char *const *names,
                       const int *slots)
{
    for (int i = 0; names[i]; i++)
        if (slots[i] != NONE)
            fprintf(file, " %s=%s", names[i], net->tensors[slots[i]].name);
}

static void dump_long_t(FILE *file, const char *name, long value)
{
    if (value != 0)
        fprintf(file, " %s=%ld", name, value);
}

static void dump_int_t(FILE *file, const char *name, int value)
{
    dump_long_t(file, name, value);
}

static void dump_bool_t(FILE *file, const char *name, bool value)
{
    if (value)
        fprintf(file, " %s", name);
}

static void dump_number_t(FILE *file, const char *name, double value)
{
    if (value != 0)
        fprintf(file, " %s=%.9g", name, value);
}

static void dump_type_t(FILE *file, const char *name, Type value)
{
    fprintf(file, " %s=%s", name, type_names[value]);
}

static void dump_role_t(FILE *file, const char *name, Role value)
{
    fprintf(file, " %s=%s", name, role_names[value]);
}

static void dump_place_t(FILE *file, const char *name, Place value)
{
    if (value != PLACE_BATCH)
        fprintf(file, " %s=%s", name, place_names[value]);
}

static void dump_scope_t(FILE *file, const char *name, Scope value)
{
    if (value != SCOPE_IMAGE)
        fprintf(file, " %s=%s", name, scope_names[value]);
}

static void dump_form_t(FILE *file, const char *name, Form value)
{
    if (value != FORM_LANES)
        fprintf(file, " %s=%s", name, form_names[value]);
}

static void dump_lowering_t(FILE *file, const char *name, Lowering value)
{
    if (value != LOWER_DIRECT)
        fprintf(file, " %s=%s", name, lowering_names[value]);
}

#define DUMP(type, name, what) dump_##type##_t(file, #name, it->name);

static void dump_tensor(FILE *file, const Tensor *it)
{
    fprintf(file, "tensor %s", it->name);
    TENSOR_FIELDS(DUMP)
    quantiser_dump(&it->codes, "codes", file);
    fputc('\n', file);
}

void op_dump_fields(const Op *it, FILE *file)
{
    OP_FIELDS(DUMP)
    quantiser_dump(&it->own, "own", file);
    quantiser_dump(&it->bias, "bias", file);
    quantiser_dump(&it->input, "input", file);
    quantiser_dump(&it->other, "other", file);
    if (it->kernel[0])
        fprintf(file, " kernel=%s", it->kernel);
}

static void dump_op(FILE *file, const Net *net, const Op *it)
{
    fprintf(file, "op %s %s", it->name, op_info[it->kind].name);
    dump_slots(file, net, op_info[it->kind].inputs, it->in);
    fputs(" ->", file);
    dump_slots(file, net, op_info[it->kind].outputs, it->out);
    op_dump_fields(it, file);
    fprintf(file, " # %s:%d\n", it->file, it->line);
}

void net_dump(const Net *net, FILE *file)
{
    fprintf(file, "net ops=%d tensors=%d batch=%d arena_bytes=%ld\n", net->op_count,
            net->tensor_count, net->batch, net->arena_bytes);
    for (int i = 0; i < net->tensor_count; i++)
        dump_tensor(file, &net->tensors[i]);
    for (int i = 0; i < net->op_count; i++)
        dump_op(file, net, &net->ops[i]);
}
