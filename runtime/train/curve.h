/* curve.png: loss and accuracy over the epochs of a run. */
#ifndef LATHE_CURVE_H
#define LATHE_CURVE_H

#include "runtime/train/history.h"

/* Two panels, training and held-out in each; whole or not at all. */
bool curve_write(const char *path, const char *title, const History *history);

#endif
