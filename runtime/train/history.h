/* What a run did, epoch by epoch: the rows of log.csv, which curve.png and TensorBoard's
 * events are made from. */
#ifndef LATHE_HISTORY_H
#define LATHE_HISTORY_H

#include <stdbool.h>

/* Losses and accuracies are means over images, accuracies within 0..1. */
typedef struct {
    int epoch; /* from 1 */
    double lr; /* of the epoch's last step */
    double train_loss, train_accuracy;
    double held_out_loss, held_out_accuracy; /* NAN without held-out images */
    double seconds;                          /* spent training, not evaluating */
    double images_per_s;
    double cc_from;                                   /* as TrainState's; NAN for none */
    double weights_kib, activations_kib, largest_kib; /* as Sizes; NAN: not quantised */
    double test_loss, test_accuracy; /* NAN in epochs that do not look at them */
    char *bits; /* learned ones of the Model's `sized`, "4 6 4"; NULL: none are learned */
} EpochRow;

typedef struct {
    EpochRow *rows;
    int count;
} History;

/* Keeps the row as its text says, so that what is drawn of it is the same after a resume.
 * Its losses are finite; its bits are freed. */
void history_add(History *history, const EpochRow *row);
void history_free(History *history);

/* One row as comma-separated text, free() it; and back: reading what was written and
 * writing it again gives the same text. Rows of before there were sizes, bits and tests
 * are read, too. */
char *history_format(const EpochRow *row);
bool history_parse(const char *text, EpochRow *row);

/* log.csv: a line of column names, then the rows. Whole or not at all. */
bool history_write(const History *history, const char *path);

#endif
