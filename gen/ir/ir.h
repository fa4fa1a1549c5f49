/* The intermediate representation: a Net owns two flat arrays, ops and tensors, linked by
 * index. Passes add to it and fill in its decisions; ir_verify says what must hold. */
#ifndef LATHE_IR_H
#define LATHE_IR_H

#include <lua.h>
#include <stdio.h>

#include "runtime/rt.h"

enum {
    NONE = -1,
    OP_INPUTS = 7,
    OP_OUTPUTS = 4,
    NAME_SIZE = 64,
    NAME_LETTERS = 40,
    KERNEL_SIZE = 128
};

typedef enum {
#define OP(kind, suffix, scope, inputs, outputs, what) OP_##kind,
#include "gen/ir/ops.def"
#undef OP
    OP_KINDS
} OpKind;

typedef enum { SCOPE_IMAGE, SCOPE_TASKS, SCOPE_BATCH } Scope;

typedef enum {
    ROLE_PIXELS,   /* step->images */
    ROLE_LOGITS,   /* step->logits */
    ROLE_PARAM,    /* step->params */
    ROLE_STAT,     /* step->stats */
    ROLE_GRADIENT, /* step->gradient */
    ROLE_DATA,     /* arena, one per image, with a halo of zeros */
    ROLE_ONCE,     /* arena, one per batch */
    ROLE_PARTIAL   /* arena, one per chunk of images */
} Role;

/* Where a ROLE_DATA tensor lives: for the whole batch, or, when one parallel loop makes
 * and uses it up, once per worker. */
typedef enum { PLACE_BATCH, PLACE_WORKER } Place;

typedef enum { TYPE_U8, TYPE_F32, TYPE_F64, TYPE_I32, TYPE_I64, TYPE_U32 } Type;

/* How an op is carried out: a kernel printed for its geometry, or a runtime function. */
typedef enum { LOWER_DIRECT, LOWER_CALL } Lowering;

/* Quantisers and gradients of rounding: the words of config fields, in fields.c's
 * order. */
typedef enum { QUANT_NONE, QUANT_STATIC, QUANT_STEP, QUANT_STEP_RANGE } quantizer_t;

/* How a layer's weights and the activation it puts out are quantised: config fields. */
typedef struct {
    quantizer_t quantizer;
    int w_bits, a_bits;
    bool per_channel;
    int gradient;
    double gradient_scale, steepness;
    int w_range, a_range; /* how ranges are first found */
    double percentile;
} Quant;

/* A quantiser at work: how, for weights or activations, with which parameters. */
typedef struct {
    quantizer_t quantizer;
    int bits;
    bool is_signed, is_image; /* the image's codes are its bytes */
    int gradient;
    double gradient_scale, steepness;
    int step, range; /* tensors, or NONE */
} Quantiser;

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
    X(long, offset, "bytes into the arena; floats into params, stats, gradient")         \
    X(int, first, "segment that writes it first")                                        \
    X(int, last, "segment that uses it last")

#define OP_FIELDS(X)                                                                     \
    X(scope, scope, "how it is run")                                                     \
    X(int, kernel_h, "window rows")                                                      \
    X(int, kernel_w, "window columns")                                                   \
    X(int, stride, "pixels between windows")                                             \
    X(int, pad_top, "zero rows above")                                                   \
    X(int, pad_left, "zero columns left")                                                \
    X(int, pad_bottom, "zero rows below")                                                \
    X(int, pad_right, "zero columns right")                                              \
    X(int, rows, "of the input a transposed convolution makes a gradient for")           \
    X(int, columns, "of the same")                                                       \
    X(int, channel_offset, "subsample: zero channels before")                            \
    X(int, samples, "values per image that a channel's statistics cover")                \
    X(int, terms, "values in a sum, each as often as its weight's largest code")         \
    X(int, other_terms, "products in a sum that is added; 0: none, or codes")            \
    X(bool, in_steps, "image floats in the stem's units, their border too")              \
    X(bool, standalone, "of the shipped file: scores stay integers")                     \
    X(bool, in_place, "its output takes the place of the residual")                      \
    X(bool, relu, "ends in max(x, 0)")                                                   \
    X(bool, accumulate, "adds to its first output")                                      \
    X(bool, accumulate_residual, "adds to its second output")                            \
    X(long, macs, "multiply-accumulates per image")                                      \
    X(lowering, lowering, "direct or call")                                              \
    X(int, lanes, "floats per vector")                                                   \
    X(int, tile_rows, "kernel tile: pixels (or input values)")                           \
    X(int, tile_vectors, "kernel tile: vectors of output channels")                      \
    X(int, blocks, "kernel tiles that a weight gradient is made of")                     \
    X(int, tasks, "pieces of a TASKS op")                                                \
    X(int, segment, "position in the schedule")

typedef Type type_t;
typedef Role role_t;
typedef Place place_t;
typedef Scope scope_t;
typedef Lowering lowering_t;
typedef int int_t;
typedef long long_t;
typedef bool bool_t;

typedef struct {
    char name[NAME_SIZE];
#define FIELD(type, name, what) type##_t name;
    TENSOR_FIELDS(FIELD)
    ParamKind param_kind;
    ParamInit init;
    char torch[NAME_SIZE]; /* PyTorch's name of a parameter, "" when none */
    Quantiser codes;       /* TYPE_U8 data: what its codes mean */
} Tensor;

typedef struct {
    OpKind kind;
    char name[NAME_SIZE];     /* the layer, the same everywhere: "s1b0_conv1" */
    char file[NAME_SIZE * 2]; /* where the config says so */
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
    long worker_bytes; /* at the arena's start, for each of RT_CHUNKS workers */
    long arena_bytes;
    long param_floats, stat_floats; /* with padding */
} Net;

/* A row of ops.def. */
typedef struct {
    const char *name, *suffix;
    Scope scope;
    const char *inputs, *outputs, *what;
} OpInfo;
extern const OpInfo op_info[OP_KINDS];

/* Index of the slot called `slot` among the op's inputs (outputs); asserts it exists. */
int op_input(OpKind kind, const char *slot);
int op_output(OpKind kind, const char *slot);
/* The tensor in that slot, or NULL when the slot is NONE. */
Tensor *op_in(const Net *net, const Op *op, const char *slot);
Tensor *op_out(const Net *net, const Op *op, const char *slot);

/* Whether a layer may be called so: names become C identifiers, file names, HTML. At most
 * NAME_LETTERS of a-z, 0-9 and _, a letter first. Every name enters a Net through this
 * rule, and net_verify repeats it. */
bool layer_name_ok(const char *name);

/* Append; the index of the new one. Pointers into the arrays do not survive this. */
int net_add_op(Net *net, OpKind kind, const char *name, const char *file, int line);
int net_append_op(Net *net, const Op *op); /* a copy of an op of any Net */
/* A copy of `like` of another kind, its slots empty. */
Op *net_append_like(Net *net, const Op *like, OpKind kind);
int net_add_tensor(Net *net, Role role, const char *name, const char *suffix);
/* A per-image float tensor of this shape. */
int net_add_data(Net *net, const char *name, const char *suffix, int h, int w, int c);

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

/* Whether op reads (writes) the tensor. */
bool op_reads(const Op *op, int tensor);
bool op_writes(const Op *op, int tensor);

/* C's names of element types ("float"); the others as they are written in the dump. */
extern const char *const type_names[],
    *const role_names[], *const place_names[], *const scope_names[],
                                                   *const lowering_names[];

/* One line per tensor and op, fields that are 0 left out; the same text for the same
 * Net. */
void net_dump(const Net *net, FILE *file);
/* The fields of one op alone, without its slots: " stride=2 relu lowering=call". */
void op_dump_fields(const Op *op, FILE *file);
/* " own=uniform_static:4" for a quantiser called `name`; nothing when it quantises
 * nothing. */
void quantiser_dump(const Quantiser *quantiser, const char *name, FILE *file);
/* Abort with the dump when an invariant does not hold: this is a bug, never the
 * user's. */
void net_verify(const Net *net, const char *after);
/* Push the Net as a table { ops = {...}, tensors = {...}, ... } for templates; an op
 * holds its tensors under their slot names. */
void net_push(lua_State *lua, const Net *net);

#endif
