/* Kinds of ops, from the rows of ops.def: their numbers, slots and traits. */
#ifndef LATHE_OPS_H
#define LATHE_OPS_H

/* NONE is in an empty slot, where an index of a tensor or op would be. */
enum { NONE = -1, OP_INPUTS = 7, OP_OUTPUTS = 5 };

/* How an op is run, see ops.def; X(NAME, word of dumps). */
#define SCOPES(X) X(CHUNK, "chunk") X(IMAGE, "image") X(TASKS, "tasks") X(BATCH, "batch")
typedef enum {
#define SCOPE(name, word) SCOPE_##name,
    SCOPES(SCOPE)
#undef SCOPE
} Scope;

typedef enum {
#define OP(kind, suffix, scope, traits, inputs, outputs, what) OP_##kind,
#include "gen/ir/ops.def"
#undef OP
    OP_KINDS
} OpKind;

/* What ops have in common, as far as passes ask. */
typedef enum {
    WEIGHTS = 1 << 0,    /* a layer with weights, which its `own` quantises */
    BIAS = 1 << 1,       /* ... and a bias, which its `bias` quantises */
    ACTIVATION = 1 << 2, /* a layer whose output its `own` quantises */
    MOVES = 1 << 3,      /* puts out values of the step it read: of codes, codes */
    HALO = 1 << 4,       /* reads windows of x, which lies in a halo of zeros */
    MACS = 1 << 5,       /* multiplies, as its macs say */
    INTEGER = 1 << 6,    /* multiplies codes */
    VECTORS = 1 << 7,    /* pixel by pixel, in vectors of its first input's channels */
    CALLABLE = 1 << 8,   /* the runtime has a function for it as well */
    MATMUL = 1 << 9,     /* that function is a library's product of float matrices */
    PHASES = 1 << 10,    /* of a transposed convolution, see transposed.h */
    BACKWARD = 1 << 11,  /* of the backward pass, which the loss comes before */
    TOTALS = 1 << 12,    /* reads what all processes have added up: comes last */
} Trait;

/* EACH_SLOT(X, kind, (a, b)) is X(kind, a) X(kind, b). */
#define SLOTS_1(X, kind, a) X(kind, a)
#define SLOTS_2(X, kind, a, ...) X(kind, a) SLOTS_1(X, kind, __VA_ARGS__)
#define SLOTS_3(X, kind, a, ...) X(kind, a) SLOTS_2(X, kind, __VA_ARGS__)
#define SLOTS_4(X, kind, a, ...) X(kind, a) SLOTS_3(X, kind, __VA_ARGS__)
#define SLOTS_5(X, kind, a, ...) X(kind, a) SLOTS_4(X, kind, __VA_ARGS__)
#define SLOTS_6(X, kind, a, ...) X(kind, a) SLOTS_5(X, kind, __VA_ARGS__)
#define SLOTS_7(X, kind, a, ...) X(kind, a) SLOTS_6(X, kind, __VA_ARGS__)
#define SLOTS_OF(a, b, c, d, e, f, g, macro, ...) macro
#define SLOTS_LIST(...) __VA_ARGS__
#define SLOTS_APPLY(macro, arguments) macro arguments
#define SLOTS_COUNTED(...)                                                               \
    SLOTS_OF(__VA_ARGS__, SLOTS_7, SLOTS_6, SLOTS_5, SLOTS_4, SLOTS_3, SLOTS_2, SLOTS_1, )
#define EACH_SLOT(X, kind, list)                                                         \
    SLOTS_APPLY(SLOTS_COUNTED list, (X, kind, SLOTS_LIST list))

/* Slots by name: op->in[CONV_w], op->out[CONV_y]. */
#define SLOT_INDEX(kind, slot) kind##_##slot,
#define OP(kind, suffix, scope, traits, inputs, outputs, what)                           \
    enum { EACH_SLOT(SLOT_INDEX, kind, inputs) };                                        \
    enum { EACH_SLOT(SLOT_INDEX, kind, outputs) };
#include "gen/ir/ops.def"
#undef OP

/* Of any layer of a config: what it reads first, and what it puts out. */
enum { LAYER_x, LAYER_y = 0 };

/* A row of ops.def; the names of slots end with NULL. */
typedef struct {
    const char *name, *suffix;
    Scope scope;
    unsigned traits;
    const char *inputs[OP_INPUTS + 1], *outputs[OP_OUTPUTS + 1];
    const char *what;
} OpInfo;
extern const OpInfo op_info[OP_KINDS];
extern const char *const scope_names[];

/* Index of the slot called `slot` among the inputs (outputs) of a kind that is not known
 * when lathe is compiled; asserts it exists. */
int op_input(OpKind kind, const char *slot);
int op_output(OpKind kind, const char *slot);

#endif
