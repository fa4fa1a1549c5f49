/* Quantisers by themselves: see quantiser.h. */
#include "gen/ir/quantiser.h"

#include "gen/ir/ops.h"

#define WORD(name, word) word,
const char *const quantizer_words[] = {RT_QUANTIZERS(WORD)};
const char *const rounding_words[] = {RT_ROUNDINGS(WORD)};
const char *const range_words[] = {RANGE_RULES(WORD)};
#undef WORD

#define NAME(name, word) "RT_QUANT_" #name,
const char *const quantizer_names[] = {RT_QUANTIZERS(NAME)};
#undef NAME
#define NAME(name, word) "ROUND_" #name,
const char *const rounding_names[] = {RT_ROUNDINGS(NAME)};
#undef NAME

Quantiser quantiser_none(void)
{
    return (Quantiser){.step = NONE, .range = NONE};
}

Quantiser quantiser_image(void)
{
    return (Quantiser){.bits = 8, .is_image = true, .step = NONE, .range = NONE};
}

RtQuant quantiser_rt(const Quantiser *q)
{
    return (RtQuant){.quantizer = q->quantizer,
                     .bits = q->bits,
                     .is_signed = q->is_signed,
                     .rounding = q->gradient,
                     .scale = (float)q->gradient_scale,
                     .steepness = (float)q->steepness,
                     .ceiling = (float)q->ceiling};
}

void quantiser_dump(const Quantiser *it, const char *name, FILE *file)
{
    if (it->is_image)
        fprintf(file, " %s=image:8", name);
    else if (it->quantizer != RT_QUANT_NONE)
        fprintf(file, " %s=%s:%d%s", name, quantizer_words[it->quantizer], it->bits,
                it->zero ? ":signed" : "");
}
