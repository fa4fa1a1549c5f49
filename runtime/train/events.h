/* What log.csv says as an event file, for TensorBoard. */
#ifndef LATHE_EVENTS_H
#define LATHE_EVENTS_H

#include "runtime/rt.h"
#include "runtime/train/history.h"

/* TensorBoard reads files whose names have "tfevents" in them. */
#define EVENTS_NAME "events.out.tfevents.lathe"

/* All rows of the history: loss, accuracy, learning rate, speed and, of a
 * quantised model, sizes and learned bits by layer, each at its epoch. Wall
 * times are the log's seconds since the run began, nothing else: same log, same
 * bytes. Whole or not at all. */
bool events_write(const char *path, const Model *model, const History *history);

/* Append the history's last row to what events_write wrote: TensorBoard keeps a file open
 * while it grows. */
bool events_append(const char *path, const Model *model, const History *history);

#endif
