/* The constants of an inference file, computed from a checkpoint. */
#ifndef LATHE_CONSTANTS_H
#define LATHE_CONSTANTS_H

#include "gen/config/config.h"

typedef struct {
    char name[NAME_SIZE]; /* that of the infer program's tensor */
    Type type;            /* TYPE_F32, TYPE_I32, TYPE_I64, or TYPE_U32: weight codes */
    size_t count;
    int bits; /* of packed codes */
    void *values;
} Constant;

typedef struct {
    Constant *list;
    int count;
} Constants;

void constants_free(Constants *constants);
const Constant *constants_find(const Constants *constants, const char *name);
/* What one unit of a quantised network's integer scores is. */
float constants_score_unit(const Constants *constants, const Config *config);
/* An empty constant of that size; its values. */
void *constants_add(Constants *constants, const char *name, const char *suffix, Type type,
                    size_t count);

/* The affine of a BN_FOLD from a network's arrays: coef [2][channels]. */
void constants_affine(const Net *net, const Op *fold, const float *params,
                      const float *stats, float *coef);

/* The constants of a fused network from its arrays. Of a float one: batch normalisation
 * folded into weights and biases. Of a quantised one: what the integer program computes
 * from its weights, by the very functions that the trainer evaluates with; false and
 * rt_fail when one overflows. */
void constants_fold(const Net *fused, const float *params, const float *stats,
                    Constants *constants);
bool constants_integer(const Config *config, const Net *fused, const float *params,
                       const float *stats, Constants *constants);

/* Adds the transformed weights that an infer program reads, from its layers' codes, or
 * from folded weights. */
void constants_winograd(const Net *infer, Constants *constants);
/* Afterwards, once: puts folded weights [taps][c][k] in the order that the convolutions
 * of an infer program read them in, [k / beside][taps][c][beside]. */
void constants_order(const Net *infer, Constants *constants);

#endif
