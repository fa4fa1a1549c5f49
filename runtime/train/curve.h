/* curve.png: loss, accuracy and learning rate over the epochs of a run. */
#ifndef LATHE_CURVE_H
#define LATHE_CURVE_H

#include "runtime/train/history.h"

/* Panels of loss, accuracy and learning rate; whole or not at all. */
bool curve_write(const char *path, const char *title, const History *history);

#endif
