/* The parts of post-training quantisation that find a layer's numbers. */
#ifndef LATHE_CALIBRATE_H
#define LATHE_CALIBRATE_H

#include "gen/config/config.h"
#include "gen/ir/links.h"

/* A tensor's values for all images, [images][h][w][c]: the float network's and the
 * quantised one's. */
typedef struct {
    float *f, *q;
    float step; /* of what is quantised; else 0 */
    bool is_image;
    float pad[4],
        factor[4]; /* of the image: its border's value, and what deviations leave */
} Values;

typedef struct {
    const Config *config;
    const Net *net; /* fused */
    Links links;
    int images;
    float *params, *stats;
    bool round, correct;
    Values *values; /* by tensor */
} Calibration;

void calibration_begin(Calibration *c, const Config *config, const Net *net, int images,
                       float *params, float *stats);
void calibration_end(Calibration *c);
/* The tensor's values, made when first asked for. */
Values *calibration_values(Calibration *c, int tensor);
/* Free what no op after `done` reads. */
void calibration_release(Calibration *c, int done);

/* A convolution or dense layer: its outputs in both networks; range, rounding and
 * corrections of its weights. */
void calibrate_weights(Calibration *c, const Op *op);
/* The range of an activation; quantises the values in place. The step in use. */
float calibrate_activation(Calibration *c, const Op *op, float *values, long count);

#endif
