/* Quantisers: how values become codes. */
#ifndef LATHE_QUANTISER_H
#define LATHE_QUANTISER_H

#include "runtime/kernels/quant.h"

#include <stdio.h>

/* How a range is first found: X(NAME, word of configs). */
#define RANGE_RULES(X)                                                                   \
    X(MAX, "max")                                                                        \
    X(MEAN, "mean")                                                                      \
    X(GAUSSIAN, "gaussian")                                                              \
    X(PERCENTILE, "percentile")                                                          \
    X(MSE, "mse")

typedef enum {
#define RULE(name, word) RANGE_##name,
    RANGE_RULES(RULE)
#undef RULE
} RangeRule;

/* Whether a standalone file's convolutions take transformed tiles. */
#define WINOGRADS(X) X(AUTO, "auto") X(NEVER, "never") X(ALWAYS, "always")

typedef enum {
#define CHOICE(name, word) WINOGRAD_##name,
    WINOGRADS(CHOICE)
#undef CHOICE
} Winograd;

/* The words of configs for these enums, and C's names of the runtime's, in order. */
extern const char *const quantizer_words[], *const quantizer_names[];
extern const char *const rounding_words[], *const rounding_names[];
extern const char *const range_words[];

/* How a layer's weights and the activation it puts out are quantised: config fields. */
typedef struct {
    RtQuantizer quantizer;
    int w_bits, a_bits;
    bool per_channel;
    RtRounding gradient;
    double gradient_scale, steepness;
    RangeRule w_range, a_range;
    double percentile;
    Winograd winograd;
} Quant;

/* A quantiser at work: how, for weights or activations, with which parameters. */
typedef struct {
    RtQuantizer quantizer;
    int bits;
    bool is_signed, is_image; /* the image's codes are its bytes */
    int zero; /* of activations that may be negative: the code that means 0; else 0 */
    RtRounding gradient;
    double gradient_scale, steepness;
    double ceiling;  /* of ReLU6, or 0 */
    int step, range; /* tensors, or NONE */
} Quantiser;

/* One that quantises nothing, and that of the image. */
Quantiser quantiser_none(void);
Quantiser quantiser_image(void);
/* As the runtime takes it. */
RtQuant quantiser_rt(const Quantiser *quantiser);

/* " own=uniform_static:4" for a quantiser called `name`; nothing when it quantises
 * nothing. */
void quantiser_dump(const Quantiser *quantiser, const char *name, FILE *file);

#endif
