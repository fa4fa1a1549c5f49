/* Tables of a profile: see profile_report.h. Times are brought to the clock on the wall,
 * so that a table adds up to the length of a step. */
#include "runtime/train/profile_report.h"

#include "runtime/base/support.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A line: one op, or several together. */
typedef struct {
    const char *names[2];
    double wall; /* seconds */
    long calls;
    double work; /* operations, or bytes */
    bool multiplies, integers;
} Row;

/* ---- What was counted ---- */

bool profile_of(const Model *model, ProfileProgram program, Profile *profile,
                ProfileTime *times)
{
    bool trains = program == PROFILE_TRAINING;
    const RtProfile *ops = model->profile;
    ProfilePartTime network = profile_part_time(trains ? PART_TRAIN : PART_EVALUATE);
    if (ops == NULL || !profile_counts() || network.images == 0)
        return false;
    ProfilePartTime optimiser = profile_part_time(PART_OPTIMISER);
    ProfilePartTime beside = profile_part_time(trains ? PART_AUGMENT : PART_SCORE);
    int first = trains ? 0 : ops->train_count;
    *profile = (Profile){
        .title = trains ? "training" : "evaluation",
        .pass = trains ? "step" : "call",
        .ops = ops->ops + first,
        .times = times,
        .count = (trains ? ops->train_count : ops->count) - first,
        .threads = rt_threads(),
        .passes = trains ? optimiser.calls : network.calls,
        .calls = network.calls,
        .images = network.images,
        .network = network.seconds,
        .outside = {{trains ? "augmentation" : "scoring", beside.seconds},
                    {"optimiser", optimiser.seconds}},
        .outside_count = trains ? 2 : 1,
    };
    for (int i = 0; i < profile->count; i++)
        times[i] = profile_time(first + i);
    return true;
}

/* ---- Numbers ---- */

double profile_wall(const Profile *profile, int op)
{
    double seconds = profile->times[op].seconds;
    return profile->ops[op].scope == PROFILE_BATCH ? seconds : seconds / profile->threads;
}

static double work_of(const Profile *profile, int op)
{
    const RtProfileOp *it = &profile->ops[op];
    if (it->macs > 0)
        return 2.0 * (double)it->macs * (double)profile->images;
    long times = it->scope == PROFILE_IMAGE ? profile->images : profile->calls;
    return (double)it->bytes * (double)times;
}

static double ratio(double a, double b)
{
    return b > 0 ? a / b : 0;
}

double profile_rate(const Profile *profile, int op)
{
    return ratio(work_of(profile, op), profile_wall(profile, op));
}

static double total_wall(const Profile *profile)
{
    double sum = profile->network;
    for (int i = 0; i < profile->outside_count; i++)
        sum += profile->outside[i].seconds;
    return sum;
}

double profile_speed(const Profile *profile)
{
    return ratio((double)profile->images, total_wall(profile));
}

static double peak_of(const Profile *profile, bool integers)
{
    return integers ? profile->peak.integers : profile->peak.floats;
}

double profile_peak_share(const Profile *profile)
{
    double seconds = 0;
    for (int i = 0; i < profile->count; i++)
        if (profile->ops[i].macs > 0)
            seconds +=
                ratio(work_of(profile, i), peak_of(profile, profile->ops[i].integers));
    return ratio(seconds, total_wall(profile));
}

/* ---- Rows ---- */

static Row row_of(const Profile *profile, int op, const char *name, const char *other)
{
    const RtProfileOp *it = &profile->ops[op];
    return (Row){.names = {name, other},
                 .wall = profile_wall(profile, op),
                 .calls = profile->times[op].calls,
                 .work = work_of(profile, op),
                 .multiplies = it->macs > 0,
                 .integers = it->integers};
}

/* Add to the row of the same names, or append. */
static void merge(Row *rows, int *count, const Row *row)
{
    for (int i = 0; i < *count; i++) {
        if (strcmp(rows[i].names[0], row->names[0]) != 0 ||
            strcmp(rows[i].names[1], row->names[1]) != 0)
            continue;
        rows[i].wall += row->wall;
        rows[i].calls += row->calls;
        rows[i].work += row->work;
        return;
    }
    rows[(*count)++] = *row;
}

static int by_wall(const void *a, const void *b)
{
    double left = ((const Row *)a)->wall, right = ((const Row *)b)->wall;
    return (left < right) - (left > right);
}

/* ---- Printing ---- */

/* Times are in milliseconds, of what takes less than one in microseconds. */
static bool is_short(const Profile *profile)
{
    return total_wall(profile) < 1e-3 * (double)profile->passes;
}

static void print_time(FILE *file, const Profile *profile, double seconds)
{
    double unit = is_short(profile) ? 1e6 : 1e3;
    fprintf(file, "%9.3f %5.1f%%", unit * ratio(seconds, (double)profile->passes),
            100 * ratio(seconds, total_wall(profile)));
}

/* Time, calls, rate, share of peak. */
static void print_row(FILE *file, const Profile *profile, const Row *row)
{
    double rate = ratio(row->work, row->wall);
    double peak = row->multiplies ? peak_of(profile, row->integers) : 0;
    const char *unit = !row->multiplies ? "GB/s" : row->integers ? "GOP/s" : "GFLOP/s";
    print_time(file, profile, row->wall);
    fprintf(file, " %9ld %7.1f %-7s", row->calls, rate / 1e9, unit);
    if (peak > 0)
        fprintf(file, " %4.0f%%", 100 * rate / peak);
    else
        fprintf(file, " %5s", "-");
}

static void print_heads(FILE *file, const Profile *profile)
{
    char time[32];
    snprintf(time, sizeof time, "%s/%s", is_short(profile) ? "us" : "ms", profile->pass);
    fprintf(file, "%9s %6s %9s %7s %-7s %5s", time, "share", "calls", "rate", "", "peak");
}

/* Names in front, as wide as they need to be. */
static void print_rows(FILE *file, const Profile *profile, const char *const names[2],
                       const Row *rows, int count)
{
    int widths[2] = {(int)strlen(names[0]), (int)strlen(names[1])};
    for (int i = 0; i < count; i++)
        for (int n = 0; n < 2; n++)
            widths[n] = (int)fmax(widths[n], (double)strlen(rows[i].names[n]));
    fprintf(file, "\n%-*s %-*s ", widths[0], names[0], widths[1], names[1]);
    print_heads(file, profile);
    fputc('\n', file);
    for (int i = 0; i < count; i++) {
        fprintf(file, "%-*s %-*s ", widths[0], rows[i].names[0], widths[1],
                rows[i].names[1]);
        print_row(file, profile, &rows[i]);
        fputc('\n', file);
    }
}

/* Append a layer's ops, unless they are there. */
static void add_layer(const Profile *profile, const char *layer, Row *rows, int *count)
{
    for (int i = 0; i < *count; i++)
        if (strcmp(rows[i].names[0], layer) == 0)
            return;
    for (int i = 0; i < profile->count; i++)
        if (strcmp(profile->ops[i].layer, layer) == 0)
            rows[(*count)++] = row_of(profile, i, layer, profile->ops[i].pass);
}

/* The passes of a layer together, layers in the order in which images go through them. */
static void print_layers(FILE *file, const Profile *profile, Row *rows)
{
    int count = 0;
    for (int i = 0; i < profile->count; i++)
        if (profile->ops[i].scope == PROFILE_IMAGE && !profile->ops[i].backward)
            add_layer(profile, profile->ops[i].layer, rows, &count);
    for (int i = 0; i < profile->count; i++)
        add_layer(profile, profile->ops[i].layer, rows, &count);
    print_rows(file, profile, (const char *const[]){"layer", "pass"}, rows, count);
}

/* Names last: they are long. */
static void print_kernels(FILE *file, const Profile *profile, Row *rows)
{
    int count = 0;
    for (int i = 0; i < profile->count; i++) {
        Row row = row_of(profile, i, profile->ops[i].kernel, "");
        merge(rows, &count, &row);
    }
    qsort(rows, (size_t)count, sizeof *rows, by_wall);
    fputc('\n', file);
    print_heads(file, profile);
    fputs("  kernel\n", file);
    for (int i = 0; i < count; i++) {
        print_row(file, profile, &rows[i]);
        fprintf(file, "  %s\n", rows[i].names[0]);
    }
}

static const char *kind_of(const RtProfileOp *op)
{
    return op->integers ? "integer conv, dense" : op->macs > 0 ? "conv, dense" : "others";
}

static void print_line(FILE *file, const Profile *profile, const char *what,
                       double seconds)
{
    fprintf(file, "%-40s ", what);
    print_time(file, profile, seconds);
    fputc('\n', file);
}

/* All of a step: passes, what is outside of them, and what is left. */
static void print_passes(FILE *file, const Profile *profile, Row *rows)
{
    int count = 0;
    double ops = 0, backward = 0;
    for (int i = 0; i < profile->count; i++) {
        Row row = row_of(profile, i, profile->ops[i].pass, kind_of(&profile->ops[i]));
        merge(rows, &count, &row);
        ops += row.wall;
        backward += profile->ops[i].backward ? row.wall : 0;
    }
    qsort(rows, (size_t)count, sizeof *rows, by_wall);
    print_rows(file, profile, (const char *const[]){"pass", "of"}, rows, count);
    fputc('\n', file);
    print_line(file, profile, backward > 0 ? "forward and loss" : "forward",
               ops - backward);
    if (backward > 0)
        print_line(file, profile, "backward", backward);
    print_line(file, profile,
               profile->threads > 1 ? "threads waiting, between ops" : "between ops",
               fmax(profile->network - ops, 0));
    for (int i = 0; i < profile->outside_count; i++)
        print_line(file, profile, profile->outside[i].what, profile->outside[i].seconds);
    print_line(file, profile, "all", total_wall(profile));
}

void profile_print_headline(FILE *file, const Profile *profile)
{
    fprintf(file, "%s: %.0f images/s on %d thread%s, %.4g ms per %s", profile->title,
            profile_speed(profile), profile->threads, profile->threads == 1 ? "" : "s",
            1e3 * ratio(total_wall(profile), (double)profile->passes), profile->pass);
    if (profile->peak.floats > 0)
        fprintf(file, ", %.0f%% of peak", 100 * profile_peak_share(profile));
    fputc('\n', file);
}

void profile_print(FILE *file, const Profile *profile)
{
    Row *rows = rt_alloc((size_t)profile->count * sizeof *rows);
    fputc('\n', file);
    profile_print_headline(file, profile);
    fprintf(file, "%ld images", profile->images);
    if (strcmp(profile->pass, "image") != 0)
        fprintf(file, ", %ld %s%s", profile->passes, profile->pass,
                profile->passes == 1 ? "" : "s");
    if (profile->threads > 1)
        fprintf(
            file,
            "; times by the clock: that of the threads / %d, or of the one that works "
            "alone",
            profile->threads);
    fputc('\n', file);
    print_layers(file, profile, rows);
    print_kernels(file, profile, rows);
    print_passes(file, profile, rows);
    free(rows);
}

Peak profile_print_peak(FILE *file, int threads)
{
    const Peak one = peak_measure(1), all = threads > 1 ? peak_measure(threads) : one;
    fprintf(file, "peak: %.0f GFLOP/s (float32) and %.0f GOP/s (bytes) on one thread",
            one.floats / 1e9, one.integers / 1e9);
    if (threads > 1)
        fprintf(file, ", %.0f and %.0f on %d", all.floats / 1e9, all.integers / 1e9,
                threads);
    fputs("; a multiply-add is two operations\n", file);
    return all;
}

void profile_print_all(FILE *file, const Model *model)
{
    if (model->profile == NULL)
        return;
    ProfileTime *times = rt_alloc((size_t)model->profile->count * sizeof *times);
    fputc('\n', file);
    const Peak peak = profile_print_peak(file, rt_threads());
    Profile profile;
    for (int program = PROFILE_TRAINING; program <= PROFILE_EVALUATION; program++) {
        if (!profile_of(model, program, &profile, times))
            continue;
        profile.peak = peak;
        profile_print(file, &profile);
    }
    free(times);
}
