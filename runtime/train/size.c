/* Sizes of quantised networks: see size.h. */
#include "runtime/train/size.h"

#include "runtime/base/support.h"
#include "runtime/draw/canvas.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const double kib = 8 * 1024; /* bits */

static int bits_of(const RtSized *sized, const float *params, int which)
{
    return rt_quant_bits(&sized->quant, sized->step < 0 ? 0 : params[sized->step + which],
                         sized->range < 0 ? 0 : params[sized->range + which]);
}

double size_one(const RtSized *sized, const float *params)
{
    double bits = 0;
    for (int i = 0; i < sized->steps; i++)
        bits += bits_of(sized, params, i) * (double)sized->numbers / sized->steps;
    return bits / kib;
}

Sizes size_of(const Model *model, const float *params)
{
    Sizes sizes = {0};
    for (int i = 0; i < model->sized_count; i++) {
        double size = size_one(&model->sized[i], params);
        if (!model->sized[i].is_activation) {
            sizes.weights += size;
            continue;
        }
        sizes.activations += size;
        sizes.largest_activation = fmax(sizes.largest_activation, size);
    }
    return sizes;
}

bool size_learns(const RtSized *sized)
{
    return sized->quant.quantizer == RT_QUANT_STEP_RANGE && sized->step >= 0;
}

bool size_within(const Model *model, const Recipe *recipe, const float *params)
{
    Sizes sizes = size_of(model, params);
    double activations = recipe->a_sum ? sizes.activations : sizes.largest_activation;
    return (recipe->w_budget <= 0 || sizes.weights <= recipe->w_budget) &&
           (recipe->a_budget <= 0 || activations <= recipe->a_budget);
}

/* The most bits of any channel. */
static int most_bits(const RtSized *sized, const float *params)
{
    int most = 0;
    for (int i = 0; i < sized->steps; i++) {
        int bits = bits_of(sized, params, i);
        most = bits > most ? bits : most;
    }
    return most;
}

static void print_bits(const Model *model, const float *params, bool activations)
{
    printf("%s", activations ? " activations " : "  bits: weights ");
    for (int i = 0; i < model->sized_count; i++)
        if (model->sized[i].is_activation == activations)
            printf("%d", most_bits(&model->sized[i], params));
}

void size_print(const Model *model, const Recipe *recipe, const float *params)
{
    bool learned = false;
    for (int i = 0; i < model->sized_count; i++)
        learned = learned || size_learns(&model->sized[i]);
    if (!learned)
        return;
    Sizes sizes = size_of(model, params);
    double activations = recipe->a_sum ? sizes.activations : sizes.largest_activation;
    print_bits(model, params, false);
    print_bits(model, params, true);
    printf("; weights %.1f KiB", sizes.weights);
    if (recipe->w_budget > 0)
        printf(" (%s %.1f)", sizes.weights <= recipe->w_budget ? "within" : "over",
               recipe->w_budget);
    printf(", %s %.1f KiB", recipe->a_sum ? "activations" : "largest activation",
           activations);
    if (recipe->a_budget > 0)
        printf(" (%s %.1f)", activations <= recipe->a_budget ? "within" : "over",
               recipe->a_budget);
    putchar('\n');
}

enum { BAR = 14, GAP = 8, MARGIN = 60, BAR_HEIGHT = 22 };

static void draw_bars(Picture *picture, const Model *model, const float *params,
                      bool activations, int bottom)
{
    static const Color ink = 0x30343a, grid = 0xe5e7eb, blue = 0x2563eb,
                       orange = 0xea580c;
    int left = MARGIN;
    char text[64];
    for (int bits = 2; bits <= 8; bits += 2) {
        snprintf(text, sizeof text, "%d", bits);
        canvas_rectangle(picture, MARGIN, bottom - bits * BAR_HEIGHT,
                         picture->width - 2 * GAP - MARGIN, 1, grid);
        canvas_text(picture, MARGIN - 24, bottom - bits * BAR_HEIGHT - TEXT_HEIGHT / 2,
                    text, ink);
    }
    for (int i = 0; i < model->sized_count; i++) {
        if (model->sized[i].is_activation != activations)
            continue;
        int height = most_bits(&model->sized[i], params) * BAR_HEIGHT;
        canvas_rectangle(picture, left, bottom - height, BAR, height,
                         activations ? orange : blue);
        left += BAR + GAP;
    }
    snprintf(text, sizeof text,
             activations ? "ACTIVATION BITS, LAYER BY LAYER"
                         : "WEIGHT BITS, LAYER BY LAYER");
    canvas_text(picture, MARGIN, bottom - 8 * BAR_HEIGHT - 30, text, ink);
}

bool size_write_picture(const char *path, const Model *model, const float *params)
{
    if (model->sized_count == 0)
        return true;
    int bars = 0;
    for (int i = 0; i < model->sized_count; i++)
        bars += !model->sized[i].is_activation;
    Picture picture = {MARGIN + (bars > 24 ? bars : 24) * (BAR + GAP) + 2 * GAP, 480,
                       NULL};
    size_t bytes = (size_t)picture.width * picture.height * 3;
    picture.pixels = rt_alloc(bytes);
    memset(picture.pixels, 255, bytes);
    draw_bars(&picture, model, params, false, 225);
    draw_bars(&picture, model, params, true, 455);
    bool ok = picture_write(path, &picture);
    free(picture.pixels);
    return ok;
}
