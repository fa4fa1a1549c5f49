/* What a Config says besides its fields, and its end; load.c makes it. */
#include "gen/config/config.h"

#include <stdlib.h>

static double mean_deviation(const Config *config)
{
    int channels = net_pixels(&config->net)->c;
    double sum = 0;
    for (int c = 0; c < channels; c++)
        sum += config->std[c];
    return sum / channels;
}

DataWant config_data(const Config *config)
{
    const Tensor *image = net_pixels(&config->net);
    return (DataWant){.height = image->h,
                      .width = image->w,
                      .channels = image->c,
                      .classes = config->class_count,
                      .class_names = config->names_classes
                                         ? (const char *const *)config->class_names
                                         : NULL,
                      .resize = config->resize,
                      .test_share = config->test_share,
                      .skip_broken = config->skip_broken};
}

float config_image_step(const Config *config)
{
    return (float)(1 / mean_deviation(config));
}

float config_image_factor(const Config *config, int channel)
{
    return (float)(mean_deviation(config) / config->std[channel]);
}

void config_free(Config *config)
{
    for (int i = 0; i < config->class_count; i++)
        free(config->class_names[i]);
    free(config->class_names);
    free(config->path);
    free(config->name);
    free(config->lines);
    free(config->record);
    free(config->signature);
    free(config->arch);
    free(config->origin);
    free(config->required);
    net_free(&config->net);
    *config = (Config){.output = NONE};
}
