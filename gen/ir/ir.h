/* The intermediate representation: a Net owns two flat arrays, ops and tensors, linked by
 * index. Passes add to it and fill in its decisions; net_verify says what must hold. */
#ifndef LATHE_IR_H
#define LATHE_IR_H

#include "gen/ir/ops.h"
#include "gen/ir/quantiser.h"

#include <lua.h>
#include <stdio.h>

enum { NAME_SIZE = 64, NAME_LETTERS = 40, KERNEL_SIZE = 192 };

/* The enums below, each from one list: X(NAME, word of dumps and templates, ...). */

/* What a tensor is, and where the trainer has it. */
#define ROLES(X)                                                                         \
    X(PIXELS, "pixels", "step->images")                                                  \
    X(LOGITS, "logits", "step->logits")                                                  \
    X(PARAM, "param", "step->params")                                                    \
    X(STAT, "stat", "step->stats")                                                       \
    X(GRADIENT, "gradient", "step->gradient")                                            \
    X(DATA, "data", "arena, one per image, with a halo of zeros")                        \
    X(ONCE, "once", "arena, one per batch")                                              \
    X(PARTIAL, "partial", "arena, one per chunk of images")                              \
    X(FAR, "far", "outside the address space, of a standalone file alone")
typedef enum {
#define ROLE(name, word, where) ROLE_##name,
    ROLES(ROLE)
#undef ROLE
} Role;

/* Where a ROLE_DATA tensor lives: for the whole batch, or, when one parallel loop makes
 * and uses it up, once per worker. */
#define PLACES(X) X(BATCH, "batch") X(WORKER, "worker")
typedef enum {
#define PLACE(name, word) PLACE_##name,
    PLACES(PLACE)
#undef PLACE
} Place;

/* Elements: C's name and size. */
#define TYPES(X)                                                                         \
    X(U8, "uint8_t", 1)                                                                  \
    X(F32, "float", 4)                                                                   \
    X(F64, "double", 8)                                                                  \
    X(I32, "int32_t", 4)                                                                 \
    X(I64, "int64_t", 8)                                                                 \
    X(U32, "uint32_t", 4)
typedef enum {
#define TYPE(name, word, bytes) TYPE_##name,
    TYPES(TYPE)
#undef TYPE
} Type;

/* How an op is carried out: a kernel printed for its geometry, a function of the runtime,
 * one that takes OpenBLAS's product, or a printed kernel that multiplies transformed
 * tiles (Lavin and Gray 2016). */
#define LOWERINGS(X)                                                                     \
    X(DIRECT, "direct") X(CALL, "call") X(BLAS, "blas") X(WINOGRAD, "winograd")
typedef enum {
#define LOWERING(name, word) LOWER_##name,
    LOWERINGS(LOWERING)
#undef LOWERING
        LOWERING_COUNT
} Lowering;

/* How an integer convolution of a standalone file goes about it: vectors of output
 * channels, printed for any width; or a kernel of its own in
 * templates/ops/conv_FORM.c.in. */
#define FORMS(X)                                                                         \
    X(LANES, "lanes")                                                                    \
    X(CROSSED, "crossed")                                                                \
    X(DSP, "dsp")                                                                        \
    X(MVE, "mve")                                                                        \
    X(MVE_DEEP, "mve_deep")                                                              \
    X(NEON, "neon")                                                                      \
    X(NEON_DOT, "neon_dot")                                                              \
    X(NEON_DEEP, "neon_deep") X(RVV, "rvv") X(RVV_DEEP, "rvv_deep")
typedef enum {
#define FORM(name, word) FORM_##name,
    FORMS(FORM)
#undef FORM
} Form;

/* What batch normalisation's statistics in training are of: a whole pass, or each of its
 * chunks. */
#define NORMS(X) X(BATCH, "batch") X(CHUNK, "chunk")
typedef enum {
#define NORM(name, word) NORM_##name,
    NORMS(NORM)
#undef NORM
} Norm;

/* One row per field drives the dump and the push to Lua: X(type of field, name, what). */
#define TENSOR_FIELDS(X)                                                                 \
    X(type, type, "element type")                                                        \
    X(role, role, "what it is")                                                          \
    X(int, h, "rows; of a parameter: kernel rows")                                       \
    X(int, w, "columns; of a parameter: kernel columns")                                 \
    X(int, c, "channels; of a parameter: input channels")                                \
    X(int, k, "parameters: output channels")                                             \
    X(int, cs, "channels stored for a pixel; codes in fours")                            \
    X(int, rank, "dimensions in use")                                                    \
    X(int, top, "halo rows above")                                                       \
    X(int, left, "halo columns left")                                                    \
    X(int, bottom, "halo rows below")                                                    \
    X(int, right, "halo columns right")                                                  \
    X(place, place, "batch or worker")                                                   \
    X(long, bytes, "bytes of one copy, halo included")                                   \
    X(long, offset, "bytes into the arena, a file; floats into params, stats")           \
    X(int, first, "segment that writes it first")                                        \
    X(int, last, "segment that uses it last")

#define OP_FIELDS(X)                                                                     \
    X(scope, scope, "how it is run")                                                     \
    X(int, kernel_h, "window rows")                                                      \
    X(int, kernel_w, "window columns")                                                   \
    X(int, stride, "pixels between windows")                                             \
    X(int, groups, "of channels that a convolution keeps apart; 1: it does not")         \
    X(bool, depthwise, "every channel is a group of its own, in and out")                \
    X(int, pad_top, "zero rows above")                                                   \
    X(int, pad_left, "zero columns left")                                                \
    X(int, pad_bottom, "zero rows below")                                                \
    X(int, pad_right, "zero columns right")                                              \
    X(bool, count_pad, "a mean counts the zeros around")                                 \
    X(int, rows, "of the input a transposed convolution makes a gradient for")           \
    X(int, columns, "of the same")                                                       \
    X(int, channel_offset, "channels of y, or dy, before those of x")                    \
    X(int, samples, "values per image that a channel's statistics cover")                \
    X(long, terms, "values in a sum, each as often as its weight's largest code")        \
    X(long, other_terms, "products in a sum that is added; 0: none, or codes")           \
    X(int, other_samples, "pixels in such a sum, of an average")                         \
    X(long, most_sum, "of a channel's weight codes of one sign; 0: not known yet")       \
    X(int, most_code, "largest code that a transformed tile is made of")                 \
    X(bool, in_steps, "image floats in the stem's units, their border too")              \
    X(bool, standalone, "of the shipped file: scores stay integers")                     \
    X(bool, in_place, "its output takes the place of the residual")                      \
    X(bool, relu, "ends in max(x, 0), or as the next two say")                           \
    X(number, ceiling, "... in min(x, ceiling), too; 0: none")                           \
    X(number, slope, "... in max(x, slope x) instead; 0: no")                            \
    X(number, rate, "dropout: share of values that it drops")                            \
    X(number, eps, "BN: added to variances")                                             \
    X(number, momentum, "BN: how far running statistics move to the batch's")            \
    X(bool, again, "makes again what was not kept: as late as it can")                   \
    X(bool, accumulate, "adds to its first output")                                      \
    X(bool, accumulate_residual, "adds to its second output")                            \
    X(long, macs, "multiply-accumulates per image")                                      \
    X(lowering, lowering, "direct, call, blas or winograd")                              \
    X(form, form, "kernel of an integer convolution")                                    \
    X(long, scratch, "bytes of a kernel's own arrays, on the stack")                     \
    X(int, lanes, "floats per vector")                                                   \
    X(int, tile_rows, "kernel tile: pixels (or input values)")                           \
    X(int, strip, "columns of outputs that a kernel goes down at a time")                \
    X(int, tile_vectors, "kernel tile: vectors of output channels")                      \
    X(bool, taps_held, "depthwise: weights of all taps stay in registers")               \
    X(int, channels, "output channels of a call of an integer convolution's kernel")     \
    X(int, band, "rows of outputs of the same")                                          \
    X(bool, within, "runs in the loop of the next op, for a band of rows at a time")     \
    X(bool, prepares, "runs before the first image; what it makes is kept")              \
    X(int, packed_bits, "of weights that it unpacks, a block at a time")                 \
    X(int, code_block, "output channels whose words of codes lie side by side")          \
    X(int, side, "winograd, of codes: outputs of a tile, down and across")               \
    X(int, depth, "... input channels whose weights the kernel transforms at a time")    \
    X(int, tiles, "winograd: tiles transformed before they are multiplied")              \
    X(int, images, "winograd: images whose tiles are multiplied together")               \
    X(int, beside, "weights of a float file: output channels side by side; 0: all")      \
    X(int, panel, "transformed weights: output channels that lie side by side")          \
    X(int, blocks, "kernel tiles that a weight gradient is made of")                     \
    X(int, tasks, "pieces of a TASKS op")                                                \
    X(int, segment, "position in the schedule")

typedef Type type_t;
typedef Role role_t;
typedef Place place_t;
typedef Scope scope_t;
typedef Lowering lowering_t;
typedef Form form_t;
typedef int int_t;
typedef long long_t;
typedef bool bool_t;
typedef double number_t;

typedef struct {
    char name[NAME_SIZE];
#define FIELD(type, name, what) type##_t name;
    TENSOR_FIELDS(FIELD)
    ParamKind param_kind;
    ParamInit init;
    char torch[4 * NAME_SIZE]; /* PyTorch's names of a parameter, "a.weight|b.weight" */
    Quantiser codes;           /* TYPE_U8 data: what its codes mean */
} Tensor;

typedef struct {
    OpKind kind;
    char name[NAME_SIZE];     /* the layer, the same everywhere: "s1b0_conv1" */
    char file[NAME_SIZE * 2]; /* where the config says so, fit to be shown */
    int line;
    int layer; /* the config's op that it comes from, by index */
    int in[OP_INPUTS],
        out[OP_OUTPUTS]; /* tensor indices or NONE; slots named in ops.def */
    OP_FIELDS(FIELD)
#undef FIELD
    char kernel[KERNEL_SIZE]; /* C name of its kernel; ops of one geometry share it */
    Quant quant;              /* what the config says for this layer */
    Quantiser own;            /* the quantiser an op applies or differentiates */
    Quantiser bias;           /* of a dense layer's bias */
    Quantiser input, other; /* I_CONSTANTS: of the codes multiplied, and of those added */
} Op;

typedef struct {
    Op *ops;
    int op_count, op_room;
    Tensor *tensors;
    int tensor_count, tensor_room;
    int segments;      /* schedule length */
    int batch;         /* images the arena is planned for */
    int chunks;        /* that they are cut into */
    Norm norm;         /* of which batch normalisation is, in training */
    bool prepares;     /* for one image: weights are transformed before the first one */
    long worker_bytes; /* at the arena's start, for each of net_workers() */
    long arena_bytes;
    long param_floats, stat_floats; /* with padding */
} Net;

/* Threads that a loop over chunks may have. */
static inline int net_workers(const Net *net)
{
    return net->chunks < RT_MAX_THREADS ? net->chunks : RT_MAX_THREADS;
}

/* Whether the op's row in ops.def says so. */
static inline bool op_is(const Op *op, Trait trait)
{
    return op_info[op->kind].traits & trait;
}

/* Whether it has a kernel of its own in the generated file. */
static inline bool op_is_printed(const Op *op)
{
    return op->lowering == LOWER_DIRECT || op->lowering == LOWER_WINOGRAD;
}

/* The tensor in the slot of that name, or NULL when the slot is empty. */
Tensor *op_in(const Net *net, const Op *op, const char *slot);
Tensor *op_out(const Net *net, const Op *op, const char *slot);
/* The image, as bytes. */
const Tensor *net_pixels(const Net *net);

/* Whether a layer may be called so: names become C identifiers, file names, HTML. At most
 * `most` of a-z, 0-9 and _, a letter first. Every name enters a Net through this rule,
 * with NAME_LETTERS, which leaves room for what ops of a layer are called behind it;
 * net_verify repeats it. */
bool layer_name_ok(const char *name, int most);
/* A layer's name with more behind it, of its tensors and ops; asserts that it fits. */
void name_behind(char to[NAME_SIZE], const char *name, const char *more);

/* Append; the index of the new one. Pointers into the arrays do not survive this. */
int net_add_op(Net *net, OpKind kind, const char *name, const char *file, int line);
int net_append_op(Net *net, const Op *op); /* a copy of an op of any Net */
/* A copy of `like` of another kind: its slots empty, without macs where the kind has
 * none; by itself, and appended. */
Op op_like(const Op *like, OpKind kind);
Op *net_append_like(Net *net, const Op *like, OpKind kind);
/* The same of the op at `index`, and in front of it. */
Op *net_insert_like(Net *net, int index, OpKind kind);
/* Call the op of a layer by more than the layer's name; where another layer is called so,
 * with an underscore behind. */
void op_rename(const Net *net, Op *op, const char *more);
/* Let the op end in the activation that `like` ends in. */
void op_activate(Op *op, const Op *like);
int net_add_tensor(Net *net, Role role, const char *name, const char *suffix);
/* A per-image float tensor of this shape. */
int net_add_data(Net *net, const char *name, const char *suffix, int h, int w, int c);
/* One of the same type and shape as another, without halo. */
int net_add_shaped(Net *net, Role role, const char *name, const char *suffix,
                   const Tensor *shape);
/* An array [c][k] that is not per image. */
int net_add_array(Net *net, Role role, Type type, const char *name, const char *suffix,
                  int c, int k);

/* Give every parameter its offset. Depends on no decision, so that one checkpoint fits
 * all. */
void net_layout_params(Net *net);

/* Whether any layer is quantised. */
bool quant_used(const Net *net);

void net_free(Net *net);
Net net_copy(const Net *net);

/* A tensor for the codes of a per-image float one: bytes, channels in fours. */
int net_add_codes(Net *net, int tensor, const Quantiser *quantiser);
int type_bytes(Type type);

/* Elements of a tensor without and with halo; floats of a row with halo. */
long tensor_count(const Tensor *tensor);
long tensor_padded_count(const Tensor *tensor);
long tensor_row(const Tensor *tensor);
long tensor_bytes(const Tensor *tensor); /* with halo */

/* Whether op reads (writes) the tensor. */
bool op_reads(const Op *op, int tensor);
bool op_writes(const Op *op, int tensor);

/* Words of the enums, in order; types are called as in C. */
extern const char *const role_names[], *const place_names[];
extern const char *const type_names[], *const lowering_names[];
extern const char *const form_names[], *const norm_names[];

/* One line per tensor and op, fields that are 0 left out; the same text for the same
 * Net. */
void net_dump(const Net *net, FILE *file);
/* The fields of one op alone, without its slots: " stride=2 relu lowering=call". */
void op_dump_fields(const Op *op, FILE *file);
/* Abort with the dump when an invariant does not hold: this is a bug, never the
 * user's. */
void net_verify(const Net *net, const char *after);
/* The same for an op that a pass does not know how to handle. */
_Noreturn void op_unhandled(const Net *net, const Op *op, const char *pass);
/* Push the Net as a table { ops = {...}, tensors = {...}, ... } for templates; an op
 * holds its tensors under their slot names. */
void net_push(lua_State *lua, const Net *net);

#endif
