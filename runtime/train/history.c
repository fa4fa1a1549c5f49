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
    char loss[32], accuracy[32], cc_from[32], sizes[3][32], test[2][32];
    format_known(loss, "%.6f", row->held_out_loss);
    format_known(accuracy, "%.6f", row->held_out_accuracy);
    format_known(cc_from, "%.0f", row->cc_from);
    format_known(sizes[0], "%.3f", row->weights_kib);
    format_known(sizes[1], "%.3f", row->activations_kib);
    format_known(sizes[2], "%.3f", row->largest_kib);
    format_known(test[0], "%.6f", row->test_loss);
    format_known(test[1], "%.6f", row->test_accuracy);
    return rt_format("%d,%.6g,%.6f,%.6f,%s,%s,%.2f,%.1f,%s,%s,%s,%s,%s,%s,%s", row->epoch,
                     row->lr, row->train_loss, row->train_accuracy, loss, accuracy,
                     row->seconds, row->images_per_s, cc_from, sizes[0], sizes[1],
                     sizes[2], test[0], test[1], row->bits ? row->bits : "");
}

/* Numbers in a row, behind which its bits are; before there were tests; before there were
 * sizes and bits. */
enum { NUMBERS = 14, UNTESTED = 12, UNSIZED = 9 };

/* "4 6 4" */
static bool is_bits(const char *text)
{
    return text[strspn(text, "0123456789 ")] == 0;
}

/* How many of so many fields are numbers, 0 for no row. */
static int numbers_of(int fields)
{
    return fields == UNSIZED                                 ? UNSIZED
           : fields == UNTESTED + 1 || fields == NUMBERS + 1 ? fields - 1
                                                             : 0;
}

/* Numbers that are not there, and those that are left out, are NAN. */
static bool parse_numbers(char *const *fields, int count, double values[NUMBERS])
{
    bool ok = count > 0;
    for (int i = 0; i < NUMBERS; i++) {
        values[i] = NAN;
        if (i < count && *fields[i])
            ok = ok && parse_double(fields[i], &values[i]);
    }
    return ok && values[0] >= 1 && values[0] <= INT_MAX;
}

bool history_parse(const char *text, EpochRow *row)
{
    char *copy = rt_format("%s", text), *rest = copy, *field, *fields[NUMBERS + 1];
    double v[NUMBERS];
    int count = 0;
    while ((field = strsep(&rest, ",")) != NULL && count <= NUMBERS)
        fields[count++] = field;
    int numbers = field ? 0 : numbers_of(count);
    const char *bits = numbers < count ? fields[count - 1] : "";
    bool ok = parse_numbers(fields, numbers, v) && is_bits(bits);
    *row = (EpochRow){0};
    if (ok)
        *row = (EpochRow){
            (int)v[0], v[1],  v[2],  v[3],  v[4],
            v[5],      v[6],  v[7],  v[8],  v[9],
            v[10],     v[11], v[12], v[13], *bits ? rt_format("%s", bits) : NULL};
    free(copy);
    return ok;
}

void history_add(History *history, const EpochRow *row)
{
    EpochRow kept = {0};
    char *text = history_format(row);
    history_parse(text, &kept);
    free(text);
    free(row->bits);
    if ((history->count & (history->count - 1)) == 0) /* full: 0, 1, 2, 4, ... rows */
        history->rows =
            rt_grow(history->rows, (size_t)(history->count ? 2 * history->count : 1) *
                                       sizeof *history->rows);
    history->rows[history->count++] = kept;
}

bool history_write(const History *history, const char *path)
{
    Replacement r;
    if (!rt_replace_begin(&r, path))
        return false;
    fprintf(r.file, "epoch,lr,train_loss,train_accuracy,held_out_loss,"
                    "held_out_accuracy,seconds,images_per_s,cc_from_step,"
                    "weights_kib,activations_kib,largest_activation_kib,"
                    "test_loss,test_accuracy,bits\n");
    for (int i = 0; i < history->count; i++) {
        char *text = history_format(&history->rows[i]);
        fprintf(r.file, "%s\n", text);
        free(text);
    }
    return rt_replace_commit(&r);
}
