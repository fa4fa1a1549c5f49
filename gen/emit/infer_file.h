/* Writing the standalone inference file. */
#ifndef LATHE_INFER_FILE_H
#define LATHE_INFER_FILE_H

#include "gen/config/config_weights.h"
#include "gen/emit/emit.h"
#include "gen/passes/compile.h"
#include "runtime/checkpoint/checkpoint.h"

typedef struct {
    const char *name;    /* what C names begin with; NULL: the config's name */
    const char *project; /* the build around it, in the folder `output`; NULL: none */
    const char *input;   /* what images are: uint8, int8 or rgb565; NULL: uint8 */
    long batch;        /* images that NAME_batch takes layer by layer; 0: there is none */
    bool split;        /* the constants in a file of their own */
    bool fetch;        /* weights outside the address space, as output_weights.bin */
    bool prepare;      /* what is made of weights alone is made once, before images */
    long arena_budget; /* an error when the arena takes more bytes; 0: it may */
    const Target *budget_target; /* for a compiler with its flags; NULL: for any */
    /* -DLATHE_SELFTEST: makes the images and scores that a quantised network's file
     * compares its own with; NULL: it has none. */
    bool (*selftest)(const Config *config, const char *weights, Selftest *selftest);
} ShippedOptions;

/* The constants of the checkpoint (called `path` in errors), which must be of the
 * config's network; see constants.h. constants_free() them in any case. */
bool constants_make(const Config *config, const Checkpoint *checkpoint, const char *path,
                    Constants *constants);
/* Whether a quantised network with these weights has integer constants, where it has an
 * integer program: without them it is neither evaluated nor emitted. */
bool constants_exist(const Config *config, const Weights *weights);

/* The infer program for every target that ships: of the weights in `constants`, with the
 * bits that they learned and sums that are as large as theirs; where that is NULL, with
 * bits as they begin, and sums as large as bits allow. Constants that a target alone
 * reads are added. False and rt_fail when there is no such program; shipped_free in any
 * case. */
bool shipped_compile(const Config *config, Constants *constants, ShippedWeights weights,
                     ShippedNets *shipped);
/* The same as shipped_write's file has them, all constants in it: what layers are hangs on
 * the weights. */
bool shipped_of_weights(const Config *config, const char *weights, ShippedNets *shipped);
void shipped_free(ShippedNets *shipped);
/* The variant a compiler takes with the target's flags, by index. */
int shipped_variant(const ShippedNets *shipped, const Target *target);
/* Whether it is its layers that a file has: variants one behind the other share the last
 * one's where they are the same. */
bool shipped_is_program(const ShippedNets *shipped, int variant);
/* The targets whose program that variant is, such as "avx2, sse4". free() it. */
char *shipped_targets(const ShippedNets *shipped, int program);
/* Bytes of arena that every build can do with. */
long shipped_arena_bytes(const ShippedNets *shipped);
/* What the templates of the file see of them. */
EmitInput shipped_input(const Config *config, const Constants *constants,
                        const ShippedNets *shipped, const char *command);

/* Write `output` (a name ending in .c; of a project its folder), the header beside it,
 * and, when split, the constants as output_weights.c, when fetched, the weights as
 * output_weights.bin, from the checkpoint `weights`. */
bool shipped_write(const Config *config, const char *weights, const char *output,
                   ShippedOptions options);

#endif
