/* The rows of log.csv: see history.h. */
#include "runtime/train/history.h"
#include "runtime/base/parse.h"
#include "runtime/base/support.h"

#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

void history_free(History *history)
{
    for (int i = 0; i < history->count; i++)
        free(history->rows[i].bits);
    free(history->rows);
    *history = (History){0};
}

/* "%.1f", or nothing for what is not known. */
static void format_known(char text[32], const char *format, double value)
{
    text[0] = 0;
    if (isfinite(value))
        snprintf(text, 32, format, value);
}

char *history_format(const EpochRow *row)
{
    char loss[32], accuracy[32], cc_from[32], sizes[3][32];
    format_known(loss, "%.6f", row->held_out_loss);
    format_known(accuracy, "%.6f", row->held_out_accuracy);
    format_known(cc_from, "%.0f", row->cc_from);
    format_known(sizes[0], "%.3f", row->weights_kib);
    format_known(sizes[1], "%.3f", row->activations_kib);
    format_known(sizes[2], "%.3f", row->largest_kib);
    return rt_format("%d,%.6g,%.6f,%.6f,%s,%s,%.2f,%.1f,%s,%s,%s,%s,%s", row->epoch,
                     row->lr, row->train_loss, row->train_accuracy, loss, accuracy,
                     row->seconds, row->images_per_s, cc_from, sizes[0], sizes[1],
                     sizes[2], row->bits ? row->bits : "");
}

enum { NUMBERS = 12, OLD_NUMBERS = 9 }; /* bits come last */

/* "4 6 4" */
static bool is_bits(const char *text)
{
    return text[strspn(text, "0123456789 ")] == 0;
}

bool history_parse(const char *text, EpochRow *row)
{
    double values[NUMBERS] = {0};
    char *copy = rt_format("%s", text), *rest = copy, *field, *bits = NULL;
    int columns = 0;
    bool ok = true;
    for (; ok && (field = strsep(&rest, ",")) != NULL; columns++) {
        if (columns == NUMBERS && is_bits(field))
            bits = *field ? rt_format("%s", field) : NULL;
        else if (columns < NUMBERS && *field == 0)
            values[columns] = NAN;
        else
            ok = columns < NUMBERS && parse_double(field, &values[columns]);
    }
    free(copy);
    for (int i = OLD_NUMBERS; columns == OLD_NUMBERS && i < NUMBERS; i++)
        values[i] = NAN;
    *row = (EpochRow){0};
    if (!ok || (columns != NUMBERS + 1 && columns != OLD_NUMBERS) ||
        !(values[0] >= 1 && values[0] <= INT_MAX)) {
        free(bits);
        return false;
    }
    *row = (EpochRow){(int)values[0], values[1],  values[2], values[3], values[4],
                      values[5],      values[6],  values[7], values[8], values[9],
                      values[10],     values[11], bits};
    return true;
}

void history_add(History *history, const EpochRow *row)
{
    EpochRow kept = {0};
    char *text = history_format(row);
    history_parse(text, &kept);
    free(text);
    free(row->bits);
    history->rows =
        rt_grow(history->rows, (size_t)(history->count + 1) * sizeof *history->rows);
    history->rows[history->count++] = kept;
}

bool history_write(const History *history, const char *path)
{
    Replacement r;
    if (!rt_replace_begin(&r, path))
        return false;
    fprintf(r.file, "epoch,lr,train_loss,train_accuracy,held_out_loss,"
                    "held_out_accuracy,seconds,images_per_s,cc_from_step,"
                    "weights_kib,activations_kib,largest_activation_kib,bits\n");
    for (int i = 0; i < history->count; i++) {
        char *text = history_format(&history->rows[i]);
        fprintf(r.file, "%s\n", text);
        free(text);
    }
    return rt_replace_commit(&r);
}
