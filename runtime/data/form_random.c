/* Seeded random images, for benchmarks: "random:COUNT[:SEED]". */
#include "runtime/data/forms.h"

#include "runtime/base/random.h"
#include "runtime/base/support.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define MOST_RANDOM 10000000 /* images */

static void random_images(ImageSet *set, int count, uint64_t key, int classes)
{
    size_t bytes = (size_t)count * image_set_bytes(set);
    uint8_t *to = image_set_add(set, "random", (size_t)count);
    uint64_t pixel_key = random_bits(key, 0), label_key = random_bits(key, 1);
    for (size_t i = 0; i < bytes; i++)
        to[i] = (uint8_t)(random_bits(pixel_key, i / 8) >> (i % 8 * 8));
    for (int i = 0; i < count; i++)
        set->labels[i] =
            (int32_t)(random_bits(label_key, (uint64_t)i) % (uint64_t)classes);
}

/* COUNT[:SEED], behind "random:". */
static bool parse_random(const char *name, const char *text, int *count, uint64_t *seed)
{
    char *end = NULL;
    unsigned long long first =
        isdigit((unsigned char)*text) ? strtoull(text, &end, 10) : 0;
    *count = first <= MOST_RANDOM ? (int)first : 0;
    *seed = 0;
    if (*count > 0 && *end == ':' && isdigit((unsigned char)end[1]))
        *seed = strtoull(end + 1, &end, 10);
    if (*count > 0 && *end == 0)
        return true;
    return rt_fail("%s: want random:COUNT or random:COUNT:SEED, COUNT 1..%d", name,
                   MOST_RANDOM);
}

bool random_is(const char *path)
{
    return strncmp(path, "random:", 7) == 0;
}

bool random_check(const char *path)
{
    int count;
    uint64_t seed;
    return parse_random(path, path + 7, &count, &seed);
}

bool random_load(const Load *load)
{
    int count, classes = load->want->classes;
    uint64_t seed;
    if (!parse_random(load->path, load->path + 7, &count, &seed))
        return false;
    if (load->parts & DATA_TRAIN)
        random_images(load->train, count, random_bits(seed, DATA_TRAIN), classes);
    if (load->parts & DATA_TEST)
        random_images(load->test, count, random_bits(seed, DATA_TEST), classes);
    return true;
}
