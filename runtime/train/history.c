/* The rows of log.csv: see history.h. */
#include "runtime/train/history.h"
#include "runtime/base/parse.h"
#include "runtime/base/support.h"

#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

void history_add(History *history, const EpochRow *row)
{
    history->rows =
        rt_grow(history->rows, (size_t)(history->count + 1) * sizeof *history->rows);
    history->rows[history->count++] = *row;
}

void history_free(History *history)
{
    free(history->rows);
    *history = (History){0};
}

char *history_format(const EpochRow *row)
{
    char held_out[64] = ",";
    if (isfinite(row->held_out_loss))
        snprintf(held_out, sizeof held_out, "%.6f,%.6f", row->held_out_loss,
                 row->held_out_accuracy);
    char cc_from[32] = "";
    if (isfinite(row->cc_from))
        snprintf(cc_from, sizeof cc_from, "%.0f", row->cc_from);
    return rt_format("%d,%.6g,%.6f,%.6f,%s,%.2f,%.1f,%s", row->epoch, row->lr,
                     row->train_loss, row->train_accuracy, held_out, row->seconds,
                     row->images_per_s, cc_from);
}

bool history_parse(const char *text, EpochRow *row)
{
    enum { COLUMNS = 9 };
    double values[COLUMNS];
    char *copy = rt_format("%s", text), *rest = copy, *field;
    int columns = 0;
    bool ok = true;
    while (ok && (field = strsep(&rest, ",")) != NULL) {
        ok = columns < COLUMNS;
        if (ok && *field == 0)
            values[columns++] = NAN;
        else if (ok)
            ok = parse_double(field, &values[columns++]);
    }
    free(copy);
    if (!ok || columns != COLUMNS || !(values[0] >= 1 && values[0] <= INT_MAX))
        return false;
    *row = (EpochRow){(int)values[0], values[1], values[2], values[3], values[4],
                      values[5],      values[6], values[7], values[8]};
    return true;
}

bool history_write(const History *history, const char *path)
{
    Replacement r;
    if (!rt_replace_begin(&r, path))
        return false;
    fprintf(r.file, "epoch,lr,train_loss,train_accuracy,held_out_loss,"
                    "held_out_accuracy,seconds,images_per_s,cc_from_step\n");
    for (int i = 0; i < history->count; i++) {
        char *text = history_format(&history->rows[i]);
        fprintf(r.file, "%s\n", text);
        free(text);
    }
    return rt_replace_commit(&r);
}
