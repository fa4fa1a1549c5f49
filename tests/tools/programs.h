/* Programs to look at: several nets compiled for every target and lowering. */
#ifndef LATHE_PROGRAMS_H
#define LATHE_PROGRAMS_H

#include "gen/passes/compile.h"

enum { NETS = 5, TARGETS = TARGET_COUNT };
/* The first half are training programs, the others evaluation. */
enum { PROGRAMS = NETS * TARGETS * LOWERING_COUNT * 2 };

/* The config of a net, and of a program. */
void program_config(int net, Config *config);
const Target *program_target(int number);
Lowering program_lowering(int number); /* of its convolutions */

void compile_program(int number, Net *net);

#endif
