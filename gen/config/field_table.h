/* The rows of fields.def at run time: what reads and what prints fields goes by them. */
#ifndef LATHE_FIELD_TABLE_H
#define LATHE_FIELD_TABLE_H

#include "gen/config/config.h"

typedef enum {
    KIND_INT,
    KIND_BITS, /* a whole number, or FLOAT_BITS: not quantised */
    KIND_NUMBER,
    KIND_BOOL,
    KIND_ENUM
} Kind;
enum { FLOAT_BITS = 32 };

/* Which quantised weights a field shapes: those of a layer's weights, of its activations;
 * only until ranges are found; or none. Weights are for the fields they were made with.
 * OF_PICTURES: it matters for pictures of any size alone. That one, and with WHERE_SET
 * others, is recorded only where it is set: records from before there was the field stay
 * the same. */
enum {
    OF_TRAINING = 0,
    OF_WEIGHTS = 1,
    OF_ACTIVATIONS = 2,
    OF_RANGES = 4,
    OF_PICTURES = 8,
    WHERE_SET = 16
};

typedef struct {
    const char *section, *name;
    Kind kind;
    int what;
    const char *member;
    size_t offset, size; /* of the member, in Config */
    double otherwise, low, high;
    const char *meaning;
} Field;

enum {
#define FIELD(section, name, kind, what, member, otherwise, low, high, meaning)          \
    FIELD_##section##_##name,
#include "gen/config/fields.def"
#undef FIELD
    FIELDS
};
extern const Field field_rows[FIELDS];

/* The words of an ENUM field, in the order of its C enum. */
const char *const *field_words(const Field *field);

/* Whether the field is one of Quant's: the config has its default, each layer its own. */
bool field_in_quant(const Field *field);

/* The field's value, as a number: the config's, or for one of Quant's a layer's. */
double field_fetch(const Config *config, const Field *field);
double field_fetch_quant(const Quant *quant, const Field *field);
void field_store(Config *config, const Field *field, double value);
void field_store_quant(Quant *quant, const Field *field, double value);

#endif
