/* How long the standalone file takes for an image. */
#ifndef LATHE_TIME_INFER_H
#define LATHE_TIME_INFER_H

#include "gen/base/scratch.h"
#include "gen/config/config.h"

#include <stdio.h>

/* Emit it from the checkpoint, build it for this machine, and run it on a random image on
 * one thread; print its layers to `tables`, a line to `headlines` and an object to
 * `json`; for a network that has no such file, why. */
bool bench_shipped(const Config *config, const Scratch *scratch, const char *weights,
                   FILE *tables, FILE *headlines, FILE *json);

#endif
