/* Training curves: see curve.h. */
#include "runtime/train/curve.h"

#include "runtime/base/support.h"
#include "runtime/draw/plot.h"

#include <stddef.h>
#include <stdlib.h>

static double value_of(const EpochRow *row, size_t field)
{
    return *(const double *)((const char *)row + field);
}

/* A column of the log as a series; free() its x. */
static PlotSeries column(const History *history, const char *name, int color,
                         size_t field)
{
    size_t count = (size_t)history->count;
    double *numbers = rt_alloc(2 * count * sizeof *numbers);
    for (size_t i = 0; i < count; i++) {
        numbers[i] = history->rows[i].epoch;
        numbers[count + i] = value_of(&history->rows[i], field);
    }
    return (PlotSeries){.name = name,
                        .x = numbers,
                        .y = numbers + count,
                        .count = history->count,
                        .color = color};
}

/* Whether any epoch has a number there. */
static bool has(const PlotSeries *series)
{
    for (int i = 0; i < series->count; i++)
        if (series->y[i] == series->y[i]) /* not NAN */
            return true;
    return false;
}

bool curve_write(const char *path, const char *title, const History *history)
{
    enum { LOSS, ACCURACY, RATE, PANELS, MOST = 3 };
    static const struct {
        int panel;
        const char *name;
        int color;
        size_t field;
    } columns[] = {
        {LOSS, "training", 0, offsetof(EpochRow, train_loss)},
        {LOSS, "held out", 1, offsetof(EpochRow, held_out_loss)},
        {LOSS, "test", 2, offsetof(EpochRow, test_loss)},
        {ACCURACY, "training", 0, offsetof(EpochRow, train_accuracy)},
        {ACCURACY, "held out", 1, offsetof(EpochRow, held_out_accuracy)},
        {ACCURACY, "test", 2, offsetof(EpochRow, test_accuracy)},
        {RATE, NULL, 7, offsetof(EpochRow, lr)},
    };
    PlotSeries series[PANELS][MOST];
    PlotPanel panels[PANELS] = {
        [LOSS] = {.x = {.scale = PLOT_WHOLE}, .y = {"loss", PLOT_FITTING}},
        [ACCURACY] = {.x = {.scale = PLOT_WHOLE}, .y = {"accuracy", PLOT_LINEAR}},
        [RATE] = {.x = {"epoch", PLOT_WHOLE},
                  .y = {"learning rate", PLOT_FROM_ZERO},
                  .height = 90}};
    for (int i = 0; i < PANELS; i++)
        panels[i].series = series[i];
    for (size_t i = 0; i < sizeof columns / sizeof *columns; i++) {
        PlotPanel *panel = &panels[columns[i].panel];
        PlotSeries *to = &series[columns[i].panel][panel->series_count];
        *to = column(history, columns[i].name, columns[i].color, columns[i].field);
        if (has(to))
            panel->series_count++;
        else
            free((void *)to->x);
    }
    bool ok = plot_write(path, title, panels, PANELS);
    for (int p = 0; p < PANELS; p++)
        for (int i = 0; i < panels[p].series_count; i++)
            free((void *)series[p][i].x);
    return ok;
}
