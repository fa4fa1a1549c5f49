/* Sizes of quantised networks: see size.h. */
#include "runtime/train/size.h"

#include "runtime/base/support.h"

#include <limits.h>
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

int size_bits(const RtSized *sized, const float *params)
{
    int most = 0;
    for (int i = 0; i < sized->steps; i++) {
        int bits = bits_of(sized, params, i);
        most = bits > most ? bits : most;
    }
    return most;
}

static bool learns_any(const Model *model)
{
    for (int i = 0; i < model->sized_count; i++)
        if (size_learns(&model->sized[i]))
            return true;
    return false;
}

char *size_bits_text(const Model *model, const float *params)
{
    if (!learns_any(model))
        return NULL;
    char *text;
    size_t bytes;
    FILE *file = open_memstream(&text, &bytes);
    for (int i = 0; i < model->sized_count; i++)
        fprintf(file, "%s%d", i ? " " : "", size_bits(&model->sized[i], params));
    fclose(file);
    return text;
}

/* "weights of 2 to 4 bits" */
static void print_range(const Model *model, const float *params, bool activations)
{
    int least = INT_MAX, most = 0;
    for (int i = 0; i < model->sized_count; i++) {
        if (model->sized[i].is_activation != activations)
            continue;
        int bits = size_bits(&model->sized[i], params);
        least = bits < least ? bits : least;
        most = bits > most ? bits : most;
    }
    const char *what = activations ? "activations" : "weights";
    if (most == 0)
        printf("no %s", what);
    else if (least == most)
        printf("%s of %d bits", what, most);
    else
        printf("%s of %d to %d bits", what, least, most);
}

void size_print(const Model *model, const Recipe *recipe, const float *params)
{
    if (!learns_any(model))
        return;
    Sizes sizes = size_of(model, params);
    double activations = recipe->a_sum ? sizes.activations : sizes.largest_activation;
    printf("  ");
    print_range(model, params, false);
    printf(", %.1f KiB", sizes.weights);
    if (recipe->w_budget > 0)
        printf(" (%s %.1f)", sizes.weights <= recipe->w_budget ? "within" : "over",
               recipe->w_budget);
    printf("; ");
    print_range(model, params, true);
    printf(", %s %.1f KiB", recipe->a_sum ? "together" : "the largest", activations);
    if (recipe->a_budget > 0)
        printf(" (%s %.1f)", activations <= recipe->a_budget ? "within" : "over",
               recipe->a_budget);
    putchar('\n');
}

void size_print_layers(const Model *model, const float *params)
{
    if (!learns_any(model))
        return;
    printf("%-28s %-11s %4s %9s\n", "layer", "", "bits", "KiB");
    for (int i = 0; i < model->sized_count; i++) {
        const RtSized *sized = &model->sized[i];
        printf("%-28s %-11s %4d %9.2f\n", sized->name,
               sized->is_activation ? "activations" : "weights", size_bits(sized, params),
               size_one(sized, params));
    }
}

static void print_excess(const char *what, double size, double budget)
{
    if (budget > 0 && size > budget)
        printf("over budget: %s %.2f KiB, want at most %.2f (%s)\n", what, size, budget,
               "train longer, with a smaller descent or a larger penalty");
}

bool size_print_verdict(const Model *model, const Recipe *recipe, const float *params)
{
    if (size_within(model, recipe, params))
        return true;
    Sizes sizes = size_of(model, params);
    print_excess("weights take", sizes.weights, recipe->w_budget);
    if (recipe->a_sum)
        print_excess("activations take", sizes.activations, recipe->a_budget);
    else
        print_excess("the largest activation takes", sizes.largest_activation,
                     recipe->a_budget);
    return false;
}
