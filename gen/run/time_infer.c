/* The standalone file's time: in all from the file as it is, by layer from a build that
 * tells of each of them. See time_infer.h. */
#include "gen/run/time_infer.h"

#include "gen/emit/infer_file.h"
#include "gen/emit/profiled.h"
#include "gen/ir/cost.h"
#include "gen/passes/compile.h"
#include "gen/run/trace.h"
#include "runtime/base/random.h"
#include "runtime/base/support.h"
#include "runtime/train/profile_json.h"
#include "runtime/train/profile_report.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

static const double enough_seconds = 0.3;
static const double most_seconds = 4; /* however slow a machine is */
enum { LEAST_IMAGES = 16, MOST_IMAGES = 2000 };

typedef struct {
    void *library;
    void (*scores)(const uint8_t *image, void *arena, void *scores);
    const TracedLayer *layers; /* or NULL */
} Shipped;

typedef struct {
    uint8_t *image;
    void *arena, *scores;
} Memory;

/* ---- Building it ---- */

static bool load(const Config *config, const Scratch *scratch, const char *define,
                 const char *name, Shipped *shipped)
{
    char *source = rt_format("%s/file.c", scratch->folder);
    char *object = rt_format("%s/%s.so", scratch->folder, name);
    const char *const words[] = {
        "cc",   "-O3", "-march=native", "-std=c99", "-shared", "-fPIC",
        define, "-o",  object,          source,     NULL};
    char *scores = rt_format("%s_scores", config->name);
    char *trace = rt_format("%s_trace", config->name);
    *shipped = (Shipped){0};
    bool ok = scratch_run(scratch, "bench", NULL, (char *const *)words);
    if (ok) {
        shipped->library = dlopen(object, RTLD_NOW | RTLD_LOCAL);
        ok = shipped->library || rt_fail("%s: %s", object, dlerror());
    }
    if (ok) {
        *(void **)&shipped->scores = dlsym(shipped->library, scores);
        shipped->layers = dlsym(shipped->library, trace);
        ok = shipped->scores || rt_fail("%s: has no %s", object, scores);
    }
    free(source);
    free(object);
    free(scores);
    free(trace);
    return ok;
}

static void unload(Shipped *shipped)
{
    if (shipped->library)
        dlclose(shipped->library);
}

/* ---- Running it ---- */

static int by_size(const void *a, const void *b)
{
    double left = *(const double *)a, right = *(const double *)b;
    return (left > right) - (left < right);
}

/* Sorts them. Not the mean: others may use the machine. */
static double median(double *seconds, int count)
{
    qsort(seconds, (size_t)count, sizeof *seconds, by_size);
    return seconds[count / 2];
}

static double seconds_an_image(const Shipped *shipped, const Memory *memory)
{
    double *seconds = rt_alloc(MOST_IMAGES * sizeof *seconds), total = 0;
    int count = 0;
    shipped->scores(memory->image, memory->arena, memory->scores);
    while ((count < LEAST_IMAGES && total < most_seconds) ||
           (total < enough_seconds && count < MOST_IMAGES)) {
        double start = seconds_now();
        shipped->scores(memory->image, memory->arena, memory->scores);
        seconds[count] = seconds_now() - start;
        total += seconds[count++];
    }
    double middle = median(seconds, count);
    free(seconds);
    return middle;
}

/* An op's time is its median for all images. */
static void time_ops(const Shipped *shipped, const Memory *memory, int images,
                     ProfileTime *times, int count)
{
    double *seconds =
        rt_alloc((size_t)count * images * sizeof(double)); /* [ops][images] */
    shipped->scores(memory->image, memory->arena, memory->scores);
    for (int image = 0; image < images; image++) {
        double since = seconds_now();
        for (int i = 0; i < count; i++) {
            shipped->layers[i].run(memory->image, memory->arena, memory->scores);
            double now = seconds_now();
            seconds[(size_t)i * images + image] = now - since;
            since = now;
        }
    }
    for (int i = 0; i < count; i++)
        times[i] =
            (ProfileTime){median(seconds + (size_t)i * images, images) * images, images};
    free(seconds);
}

/* ---- Reporting ---- */

/* A row for each layer's function: what runs within the next op's is part of that. */
static int list_ops(const Net *net, RtProfileOp *ops)
{
    int count = 0;
    for (int i = 0; i < net->op_count; i++) {
        const Op *op = &net->ops[i];
        ops[count] = profiled_op(net, op);
        if (i > 0 && op[-1].within) {
            ops[count].macs += op[-1].macs;
            ops[count].bytes += op_traffic(net, &op[-1]);
        }
        count += !op->within;
    }
    return count;
}

static void report(const Net *net, const Shipped *whole, const Shipped *traced,
                   const Memory *memory, FILE *tables, FILE *headlines, FILE *json)
{
    RtProfileOp *ops = rt_alloc((size_t)net->op_count * sizeof *ops);
    ProfileTime *times = rt_alloc((size_t)net->op_count * sizeof *times);
    int count = list_ops(net, ops);
    double seconds = seconds_an_image(whole, memory);
    int images = (int)(enough_seconds / seconds) + 1;
    Profile profile = {.title = "inference",
                       .pass = "image",
                       .ops = ops,
                       .times = times,
                       .count = count,
                       .threads = 1,
                       .passes = images,
                       .calls = images,
                       .images = images,
                       .peak = peak_measure(1)};
    time_ops(traced, memory, images, times, profile.count);
    for (int i = 0; i < profile.count; i++)
        profile.network += times[i].seconds;
    profile_print(tables, &profile);
    profile.network = seconds * images;
    profile_print_headline(headlines, &profile);
    profile_print_json(json, &profile);
    free(ops);
    free(times);
}

static void run(const Config *config, const Net *net, const Shipped *whole,
                const Shipped *traced, FILE *tables, FILE *headlines, FILE *json)
{
    const Tensor *pixels = net_pixels(&config->net);
    size_t bytes = (size_t)tensor_count(pixels);
    Memory memory = {rt_alloc_aligned((bytes + 63) / 64 * 64),
                     rt_alloc_aligned((size_t)(net->arena_bytes + 63) / 64 * 64),
                     rt_alloc((size_t)config->class_count * sizeof(float))};
    for (size_t i = 0; i < bytes; i++)
        memory.image[i] = (uint8_t)random_bits(config->recipe.seed, i);
    report(net, whole, traced, &memory, tables, headlines, json);
    free(memory.image);
    free(memory.arena);
    free(memory.scores);
}

bool bench_shipped(const Config *config, const Scratch *scratch, const char *weights,
                   FILE *tables, FILE *headlines, FILE *json)
{
    if (!compile_ships(config)) {
        fprintf(headlines, "inference: it has no standalone file: %s\n", rt_error());
        fputs("{\"what\": \"inference\", \"error\": ", json);
        json_print_text(json, rt_error());
        fputc('}', json);
        rt_error_clear();
        return true;
    }
    char *source = rt_format("%s/file.c", scratch->folder);
    Shipped whole = {0}, traced = {0};
    ShippedNets nets = {0};
    bool ok = shipped_of_weights(config, weights, &nets) &&
              shipped_write(config, weights, source, (ShippedOptions){0}) &&
              load(config, scratch, "-DNDEBUG", "whole", &whole) &&
              load(config, scratch, "-DLATHE_TRACE", "traced", &traced);
    if (ok) {
        const int variant = shipped_variant(&nets, target_find(NULL));
        run(config, &nets.variants[variant].net, &whole, &traced, tables, headlines,
            json);
    }
    unload(&whole);
    unload(&traced);
    free(source);
    shipped_free(&nets);
    return ok;
}
