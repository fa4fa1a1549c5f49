/* The rows of fields.def: see field_table.h. */
#include "gen/config/field_table.h"

#include <stddef.h>
#include <string.h>

const Field field_rows[FIELDS] = {
#define FIELD(section, name, kind, member, otherwise, low, high, meaning)                \
    {#section,                                                                           \
     #name,                                                                              \
     KIND_##kind,                                                                        \
     #member,                                                                            \
     offsetof(Config, member),                                                           \
     sizeof(((Config *)0)->member),                                                      \
     otherwise,                                                                          \
     low,                                                                                \
     high,                                                                               \
     meaning},
#include "gen/config/fields.def"
#undef FIELD
};
/* The words of ENUM fields, in the order of the C enums. */
static const struct {
    const char *name, *words[5];
} enums[] = {
    {"schedule", {"step", "cosine", "one_cycle"}},
    {"quantizer", {"none", "uniform_static", "parametric_d", "parametric_d_xmax"}},
    {"gradient", {"ste", "ewgs", "psgd", "tanh", "invtanh"}},
    {"w_range", {"max", "mean", "gaussian", "percentile", "mse"}},
    {"a_range", {"max", "mean", "gaussian", "percentile", "mse"}},
};

const char *const *field_words(const Field *field)
{
    int i = 0;
    while (strcmp(enums[i].name, field->name) != 0)
        i++;
    return enums[i].words;
}

void field_store(Config *config, const Field *field, double value)
{
    char *member = (char *)config + field->offset;
    if (field->kind == KIND_NUMBER)
        *(double *)member = value;
    else if (field->kind == KIND_BOOL)
        *(bool *)member = value != 0;
    else if (field->size == 8)
        *(uint64_t *)member = (uint64_t)value;
    else
        *(int *)member = (int)value;
}

double field_fetch(const Config *config, const Field *field)
{
    const char *member = (const char *)config + field->offset;
    if (field->kind == KIND_NUMBER)
        return *(const double *)member;
    if (field->kind == KIND_BOOL)
        return *(const bool *)member;
    return field->size == 8 ? (double)*(const uint64_t *)member : *(const int *)member;
}
