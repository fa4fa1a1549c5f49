/* The contract between generated code and the runtime: what a generated network tells the
 * runtime about itself (Model, Param, Recipe), what the runtime hands it for one pass
 * (Step), and the services generated code may call. Layout is NHWC, float32. */
#ifndef LATHE_RT_H
#define LATHE_RT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Generated files refuse to compile against another number. Raise it with any change of
 * meaning below. */
#define LATHE_ABI 13

/* A pass's images are cut into this many chunks, unless train.chunks says otherwise: any
 * power of two up to RT_MOST_CHUNKS. Sums over the images are kept per chunk and added by
 * one fixed tree, see chunks.h, so results do not depend on the number of threads. */
#define RT_CHUNKS 16
#define RT_MOST_CHUNKS 256

/* What an array is, X(NAME, what), and how it begins. */
#define PARAM_KINDS(X)                                                                   \
    X(CONV, "[kh][kw][c][k]")                                                            \
    X(DENSE, "[c][k]")                                                                   \
    X(BIAS, "[k]")                                                                       \
    X(BN_SCALE, "[k] gamma")                                                             \
    X(BN_SHIFT, "[k] beta")                                                              \
    X(BN_MEAN, "[k] running mean: tracked, not trained")                                 \
    X(BN_VAR, "[k] running variance: tracked, not trained")                              \
    X(STEP, "[1] or [k] step of a quantiser: trained")                                   \
    X(RANGE, "[1] or [k] largest value of a quantiser: trained, or calibrated once")
#define PARAM_INITS(X)                                                                   \
    X(HE_NORMAL, "he") X(LECUN_NORMAL, "lecun") X(ZERO, "zero") X(ONE, "one")

typedef enum {
#define KIND(name, what) PARAM_##name,
    PARAM_KINDS(KIND)
#undef KIND
} ParamKind;

typedef enum {
#define INIT(name, word) INIT_##name,
    PARAM_INITS(INIT)
#undef INIT
} ParamInit;

/* One named array. Trained ones lie in `params` (and, at the same offset, in gradient,
 * momentum and average); tracked ones in `stats`. */
typedef struct {
    const char *name; /* "s1b0_conv1.weight", "s1b0_conv1_bn.scale" */
    ParamKind kind;
    ParamInit init;
    int rank, shape[4];
    size_t offset; /* floats, a multiple of 16 */
    size_t count;  /* product of shape */
    int fan_in;    /* for the initialiser */
} Param;

/* Of the learning rate: X(NAME, word of configs). */
#define SCHEDULES(X)                                                                     \
    X(STEP, "step") X(COSINE, "cosine") X(ONE_CYCLE, "one_cycle") X(LINEAR, "linear")
typedef enum {
#define SCHEDULE(name, word) SCHEDULE_##name,
    SCHEDULES(SCHEDULE)
#undef SCHEDULE
} Schedule;

/* What comes in where a training image is shifted: X(NAME, word of configs). */
#define BORDERS(X) X(ZERO, "zero") X(REFLECT, "reflect")
typedef enum {
#define BORDER(name, word) BORDER_##name,
    BORDERS(BORDER)
#undef BORDER
} Border;

/* How to train: the config's `train` table, every field of it. */
typedef struct {
    int epochs;
    int batch; /* images per optimiser step; the micro-batch is the Model's */
    double lr, momentum, weight_decay; /* decay on conv and dense kernels */
    bool decay_norms, decay_biases;    /* and on these */
    double quantizer_lr;               /* of steps and ranges, times lr */
    bool nesterov;
    Schedule schedule;
    double warmup_epochs; /* lr rises linearly from 0 */
    double lr_final;      /* cosine, one-cycle: where lr ends, as a share of lr */
    double peak;          /* one-cycle: the share of the run at which lr is highest */
    int milestones[8], milestone_count; /* step: epochs at which lr is multiplied */
    double decay_factor;                /* step: by this */
    double label_smoothing;             /* 0..1 */
    double ema;         /* decay per step of the averaged weights; 0 = off */
    bool flip;          /* mirror half of the images */
    int crop;           /* shift by up to this many pixels each way */
    Border crop_border; /* what comes in there */
    int cutout;         /* side of the square that is blanked; 0 = off */
    double brightness, contrast, saturation, hue; /* colours change by up to this */
    bool trivial_augment; /* one random change of each image, see data/trivial.h */
    double erase;         /* share of the images in which a box is blanked */
    double erase_least, erase_most, erase_ratio; /* its area, its sides' largest factor */
    double area;    /* least share of a picture that is cut out at random; 0 = off */
    double ratio;   /* most that the sides of what is cut out differ by, as a factor */
    int held_out;   /* training images kept aside to choose the best checkpoint by */
    int test_every; /* epochs from one accuracy on the test images to the next; 0: none */
    double w_budget, a_budget; /* KiB that learned bits are held to; 0: no budget */
    bool a_sum;           /* a_budget is for the sum of activations, not the largest */
    double penalty;       /* weight of the size penalty */
    double descent;       /* share of the run over which budgets come down; 0: at once */
    double mixup, cutmix; /* alphas of Beta; 0 = off */
    double mix_share;     /* of the batches in which images are mixed */
    int mix_end;          /* epochs at the end in which they are not */
    double distill;       /* weight of the teachers' scores in the loss, 0..1 */
    double temperature;   /* that softens them and the network's */
    int bn_batches; /* from which BN's statistics are estimated anew at the end; 0: none */
    uint64_t seed;
} Recipe;

typedef struct Step Step;

/* A generated network. */
typedef struct {
    int abi; /* LATHE_ABI */
    const char *name;
    const char
        *origin; /* the config's file and overrides, as words of a command; or NULL */
    const char *arch;   /* one "key=value" line per layer: what weights must match */
    const char *config; /* one "path=value" line per config field, sorted */
    int height, width, channels; /* of the image */
    int classes;
    const char *const *class_names; /* [classes]; NULL: the config has none */
    int resize;            /* short side that pictures get; 0: as small as may be */
    double test_share;     /* of data that does not say which images are for testing */
    bool skip_broken;      /* pictures that are broken; else they are errors */
    uint8_t zero_pixel[4]; /* per channel, the pixel nearest to the mean: pads crops */
    int micro_batch;       /* most images per call */
    int chunks;            /* of a call's images */
    bool norm_by_chunk;    /* BN's statistics in training are of each of these */
    const Param *params;
    int param_count;
    size_t param_floats; /* length of params, gradient, momentum */
    const Param *stats;
    int stat_count;
    size_t stat_floats;
    size_t arena_bytes;
    const struct RtSized *sized; /* quantised weights and activations, see size.h */
    int sized_count;
    const struct RtProfile
        *profile; /* ops of a profiled build, see profile.h; else NULL */
    /* Forward, loss, backward over step->count images; adds to step->gradient, updates
     * step->stats, fills step->logits, step->loss and step->correct. */
    void (*train)(Step *step);
    /* Forward with running statistics; fills step->logits, and step->scores where it
     * `scores_integers`. */
    void (*evaluate)(Step *step);
    bool scores_integers;
} Model;

/* What one call of Model.train or Model.evaluate works on. */
struct Step {
    const uint8_t *images; /* [count][height][width][channels] */
    const int32_t *labels; /* [count]; training only */
    const int *indices; /* [count]: the images in the training set, whose numbers dropout
                              draws by; NULL: 0, 1 .. */
    uint64_t dropout_key; /* ... and from this, of the seed and the epoch */
    int count;            /* 1..micro_batch */
    int chunks;           /* out: of the images, as the network has them */
    struct Peers *peers;  /* among which training shares the chunks; NULL: it does all */
    float *params;        /* training keeps quantisers' numbers in their bounds */
    float *gradient;
    float *stats;
    double bn_share; /* instead of BN's momentum, where it is above 0 */
    char *arena;     /* Model.arena_bytes, 64-byte aligned */
    float *logits;   /* [count][classes] */
    int64_t *scores; /* evaluation in integers, out: [count][classes] the scores that the
                        logits stand for. May be NULL */
    float label_smoothing;
    const int32_t *others; /* [count] labels of what was mixed into the images, and */
    const float *shares;   /* [count] how much of each is its own; NULL: nothing was */
    const float
        *taught; /* [count][classes], what teachers make of the images: probabilities
                            at `temperature`; NULL: nobody teaches */
    float distill, temperature; /* weight of these in the loss; see rt_softmax_loss */
    float loss_scale;           /* gradients are multiplied by this: 1 / batch */
    double loss;                /* out: sum over the images of the cross-entropy */
    int correct;                /* out: images whose largest score is their label's */
    bool failed; /* out: an integer constant has no representation; rt_error says whose */
};

/* Call body(context, index, worker) for index 0..count-1, shared among the threads set
 * with rt_set_threads; worker < RT_MAX_THREADS says whose scratch memory to use. */
#define RT_MAX_THREADS 64
void rt_parallel_for(int count, void (*body)(void *context, int index, int worker),
                     void *context);
void rt_set_threads(int threads); /* 0: all cores */
int rt_threads(void);

/* The main function of a trainer: `trainer [train] | eval | classify`, see --help.
 * Returns the exit status. */
int rt_trainer_main(int argc, char **argv, const Model *model, const Recipe *recipe);
/* The same for a trainer that mpirun starts, in as many processes as it says. */
int rt_mpi_trainer_main(int argc, char **argv, const Model *model, const Recipe *recipe);

#endif
