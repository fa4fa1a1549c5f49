/* Backward by input as convolutions: along one axis, the outputs of a transposed
 * convolution with stride s fall into s phases, each a stride-1 convolution with every
 * s-th tap. */
#ifndef LATHE_TRANSPOSED_H
#define LATHE_TRANSPOSED_H

enum { MOST_STRIDE = 16 };

typedef struct {
    int first; /* the phase's outputs are first, first + stride, ... */
    int count; /* how many */
    int taps;  /* how many kernel taps reach them; 0: they get no gradient */
    int tap;   /* the last of these taps; the others lie stride before each other */
    int start; /* where in dy output 0 reads first; negative: in the halo */
} Phase;

/* The phases of an axis of `size` inputs; phases without outputs are left out. Returns
 * how many. */
int axis_phases(int kernel, int stride, int pad, int size, Phase phases[MOST_STRIDE]);

#endif
