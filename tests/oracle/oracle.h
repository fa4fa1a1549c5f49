/* The network a config lays out, layer by layer in double, before any pass has touched
 * it: the measure of generated programs as a whole. */
#ifndef LATHE_ORACLE_H
#define LATHE_ORACLE_H

#include "gen/config/config.h"

/* Scores of `count` images with these parameters, laid out as the Model's. In training
 * the batch, or each chunk of it, is normalised by its own statistics and the running
 * ones in `stats` move, otherwise they are used. */
void oracle_forward(const Config *config, const double *params, double *stats,
                    bool training, const uint8_t *images, int count, double *logits);

/* Sum over the images of the training loss. */
double oracle_loss(const Config *config, const double *params, const double *stats,
                   const uint8_t *images, const int32_t *labels, int count,
                   double smoothing);

#endif
