/* The rows of fields.def: see field_table.h. */
#include "gen/config/field_table.h"

#include <stddef.h>
#include <string.h>

const Field field_rows[FIELDS] = {
#define FIELD(section, name, kind, what, member, otherwise, low, high, meaning)          \
    {#section,                                                                           \
     #name,                                                                              \
     KIND_##kind,                                                                        \
     what,                                                                               \
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
static const char *const schedule_words[] = {
#define WORD(name, word) word,
    SCHEDULES(WORD)
#undef WORD
};
static const char *const border_words[] = {
#define WORD(name, word) word,
    BORDERS(WORD)
#undef WORD
};
static const char *const lower_words[] = {
#define WORD(name, word) word,
    "auto", LOWERINGS(WORD)
#undef WORD
};
static const char *const winograd_words[] = {
#define WORD(name, word) word,
    WINOGRADS(WORD)
#undef WORD
};
static const char *const norm_words[] = {
#define WORD(name, word) word,
    NORMS(WORD)
#undef WORD
};
/* The words of ENUM fields. */
static const struct {
    const char *name;
    const char *const *words;
} enums[] = {
    {"schedule", schedule_words}, {"quantizer", quantizer_words},
    {"gradient", rounding_words}, {"w_range", range_words},
    {"a_range", range_words},     {"crop_border", border_words},
    {"lower", lower_words},       {"winograd", winograd_words},
    {"bn", norm_words},
};

const char *const *field_words(const Field *field)
{
    int i = 0;
    while (strcmp(enums[i].name, field->name) != 0)
        i++;
    return enums[i].words;
}

bool field_in_quant(const Field *field)
{
    return field->offset >= offsetof(Config, quant) &&
           field->offset < offsetof(Config, quant) + sizeof(Quant);
}

static void store(char *member, const Field *field, double value)
{
    if (field->kind == KIND_NUMBER)
        *(double *)member = value;
    else if (field->kind == KIND_BOOL)
        *(bool *)member = value != 0;
    else if (field->size == 8)
        *(uint64_t *)member = (uint64_t)value;
    else
        *(int *)member = (int)value;
}

static double fetch(const char *member, const Field *field)
{
    if (field->kind == KIND_NUMBER)
        return *(const double *)member;
    if (field->kind == KIND_BOOL)
        return *(const bool *)member;
    return field->size == 8 ? (double)*(const uint64_t *)member : *(const int *)member;
}

void field_store(Config *config, const Field *field, double value)
{
    store((char *)config + field->offset, field, value);
}

void field_store_quant(Quant *quant, const Field *field, double value)
{
    store((char *)quant + field->offset - offsetof(Config, quant), field, value);
}

double field_fetch(const Config *config, const Field *field)
{
    return fetch((const char *)config + field->offset, field);
}

double field_fetch_quant(const Quant *quant, const Field *field)
{
    return fetch((const char *)quant + field->offset - offsetof(Config, quant), field);
}
