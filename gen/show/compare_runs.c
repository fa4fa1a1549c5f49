/* Runs side by side: see compare_runs.h. Everything comes from last.ckpt: its config is
 * the one that was in effect, its history is log.csv's. */
#include "gen/show/compare_runs.h"

#include "runtime/base/support.h"
#include "runtime/base/text.h"
#include "runtime/draw/plot.h"
#include "runtime/train/train_state.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    const char *folder;
    Checkpoint checkpoint; /* without its values */
    TrainState state;
    long parameters;
    bool held_out;
} Run;

static bool is_trained(const char *name)
{
    return strncmp(name, "momentum/", 9) == 0;
}

static bool read_run(Run *run, const char *folder)
{
    char *path = rt_format("%s/last.ckpt", folder);
    *run = (Run){.folder = folder};
    bool ok = checkpoint_read(path, &run->checkpoint) &&
              state_read(&run->checkpoint, path, &run->state);
    for (int i = 0; i < run->checkpoint.count; i++) {
        Array *array = &run->checkpoint.arrays[i];
        run->parameters += is_trained(array->name) ? (long)array->count : 0;
        free(array->values);
        array->values = NULL;
    }
    const History *history = &run->state.history;
    for (int i = 0; i < history->count; i++)
        run->held_out = run->held_out || isfinite(history->rows[i].held_out_accuracy);
    free(path);
    return ok;
}

static void free_run(Run *run)
{
    checkpoint_free(&run->checkpoint);
    state_free(&run->state);
}

/* ---- What they came to ---- */

static double accuracy_of(const Run *run, int row)
{
    const EpochRow *it = &run->state.history.rows[row];
    return run->held_out ? it->held_out_accuracy : it->train_accuracy;
}

/* KB of 1000 bytes, as everywhere; weights that are not quantised are floats. */
static double size_of_run(const Run *run)
{
    const History *history = &run->state.history;
    double kib = history->count ? history->rows[history->count - 1].weights_kib : NAN;
    return isfinite(kib) ? kib * 1.024 : (double)run->parameters * sizeof(float) / 1000;
}

/* "2-8", of what learned its bits; else "-". */
static void format_bits(const Run *run, char text[32])
{
    const History *history = &run->state.history;
    const char *bits = history->count ? history->rows[history->count - 1].bits : NULL;
    long least = 0, most = 0;
    for (char *end; bits && *bits; bits = end) {
        long number = strtol(bits, &end, 10);
        if (end == bits)
            break;
        least = least == 0 || number < least ? number : least;
        most = number > most ? number : most;
    }
    if (most == 0)
        strcpy(text, "-");
    else
        snprintf(text, 32, "%ld-%ld", least, most);
}

static void print_run(const Run *run, FILE *file)
{
    const TrainState *state = &run->state;
    const History *history = &state->history;
    char hash[65], bits[32], epochs[32], best[32] = "-", last[32] = "-";
    double seconds = state->seconds; /* of an epoch that is not finished */
    rt_sha256(run->checkpoint.config, strlen(run->checkpoint.config), hash);
    format_bits(run, bits);
    snprintf(epochs, sizeof epochs, "%d/%d", state->epoch, state->epochs);
    for (int i = 0; i < history->count; i++)
        seconds += history->rows[i].seconds;
    const char *mark = run->held_out ? "" : "*";
    if (history->count)
        snprintf(last, sizeof last, "%.4f%s", accuracy_of(run, history->count - 1), mark);
    if (state->best_epoch >= 1 && state->best_epoch <= history->count)
        snprintf(best, sizeof best, "%.4f%s", accuracy_of(run, state->best_epoch - 1),
                 mark);
    fprintf(file, "%s\n", rt_shown(run->folder));
    fprintf(file, "  %.8s %6llu %9s %8s %8s %6s %10.1f KB %8.0f s\n", hash,
            (unsigned long long)state->seed, epochs, best, last, bits, size_of_run(run),
            seconds);
}

static void print_runs(const Run *runs, int count, FILE *file)
{
    bool marked = false;
    fprintf(file, "  %-8s %6s %9s %8s %8s %6s %13s %10s\n", "config", "seed", "epochs",
            "best", "last", "bits", "weights", "time");
    for (int i = 0; i < count; i++) {
        print_run(&runs[i], file);
        marked = marked || (runs[i].state.history.count && !runs[i].held_out);
    }
    if (marked)
        fputs("* of training images: none were held out\n", file);
}

/* ---- What differs between their configs ---- */

/* The line of that field, "path=value"; its length in *length, NULL if it has none. */
static const char *find_line(const Run *run, const char *path, size_t bytes,
                             size_t *length)
{
    for (const char *line = run->checkpoint.config; *line;) {
        *length = strcspn(line, "\n");
        if (*length > bytes && line[bytes] == '=' && memcmp(line, path, bytes) == 0)
            return line;
        line += *length + (line[*length] == '\n');
    }
    return NULL;
}

static bool same_line(const Run *a, const Run *b, const char *path, size_t bytes)
{
    size_t left, right;
    const char *ours = find_line(a, path, bytes, &left);
    const char *theirs = find_line(b, path, bytes, &right);
    if (ours == NULL || theirs == NULL)
        return ours == theirs;
    return left == right && memcmp(ours, theirs, left) == 0;
}

/* A line for each value, with the runs that have it. */
static void print_values(const Run *runs, int count, const char *path, size_t bytes,
                         FILE *file)
{
    fprintf(file, "%.*s\n", (int)bytes, path);
    for (int i = 0; i < count; i++) {
        bool printed = false;
        for (int j = 0; j < i; j++)
            printed = printed || same_line(&runs[i], &runs[j], path, bytes);
        if (printed)
            continue;
        size_t length;
        const char *line = find_line(&runs[i], path, bytes, &length);
        char *value = line
                          ? rt_format("%.*s", (int)(length - bytes - 1), line + bytes + 1)
                          : rt_format("-");
        fprintf(file, "  %-16s", rt_shown(value));
        for (int j = i; j < count; j++)
            if (same_line(&runs[i], &runs[j], path, bytes))
                fprintf(file, " %s", rt_shown(runs[j].folder));
        fputc('\n', file);
        free(value);
    }
}

/* Fields in the order in which the configs have them. */
static void print_differences(const Run *runs, int count, FILE *file)
{
    bool any = false;
    for (int i = 0; i < count; i++)
        for (const char *line = runs[i].checkpoint.config; *line;) {
            size_t length = strcspn(line, "\n"), bytes = strcspn(line, "=\n"), found;
            bool seen = false, differs = false;
            for (int j = 0; j < i; j++)
                seen = seen || find_line(&runs[j], line, bytes, &found);
            for (int j = 0; j < count; j++)
                differs = differs || !same_line(&runs[i], &runs[j], line, bytes);
            if (differs && !seen) {
                fputs(any ? "" : "\nwhat differs between their configs\n", file);
                print_values(runs, count, line, bytes, file);
                any = true;
            }
            line += length + (line[length] == '\n');
        }
    if (!any && count > 1)
        fputs("\ntheir configs are the same\n", file);
}

/* ---- The picture ---- */

typedef double Column(const Run *run, int row);

static double loss_of(const Run *run, int row)
{
    const EpochRow *it = &run->state.history.rows[row];
    return run->held_out ? it->held_out_loss : it->train_loss;
}

static PlotSeries curve_of(const Run *run, int color, Column *column)
{
    size_t count = (size_t)run->state.history.count;
    double *numbers = rt_alloc(2 * count * sizeof *numbers);
    for (size_t i = 0; i < count; i++) {
        numbers[i] = run->state.history.rows[i].epoch;
        numbers[count + i] = column(run, (int)i);
    }
    return (PlotSeries){.name = run->folder,
                        .x = numbers,
                        .y = numbers + count,
                        .count = (int)count,
                        .color = color};
}

static bool draw_runs(const Run *runs, int count, const char *path)
{
    PlotSeries *series = rt_alloc(2 * (size_t)count * sizeof *series);
    bool held_out = true;
    for (int i = 0; i < count; i++) {
        series[i] = curve_of(&runs[i], i, accuracy_of);
        series[count + i] = curve_of(&runs[i], i, loss_of);
        held_out = held_out && runs[i].held_out;
    }
    const PlotPanel panels[] = {
        {.x = {.scale = PLOT_WHOLE},
         .y = {held_out ? "held-out accuracy" : "accuracy", PLOT_LINEAR},
         .series = series,
         .series_count = count,
         .height = 300},
        {.x = {"epoch", PLOT_WHOLE},
         .y = {held_out ? "held-out loss" : "loss", PLOT_FITTING},
         .series = series + count,
         .series_count = count}};
    bool ok = plot_write(path, "training runs", panels, 2);
    for (int i = 0; i < 2 * count; i++)
        free((void *)series[i].x);
    free(series);
    return ok;
}

bool compare_runs(const char *const *folders, int count, const char *picture, FILE *file)
{
    Run *runs = rt_alloc((size_t)count * sizeof *runs);
    bool ok = true;
    int read = 0;
    while (ok && read < count) {
        ok = read_run(&runs[read], folders[read]);
        read++;
    }
    ok = ok && (picture == NULL || draw_runs(runs, count, picture));
    if (ok) {
        print_runs(runs, count, file);
        print_differences(runs, count, file);
    }
    for (int i = 0; i < read; i++)
        free_run(&runs[i]);
    free(runs);
    return ok;
}
