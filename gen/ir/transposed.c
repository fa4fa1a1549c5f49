/* Phases of a transposed convolution: see phases.h. Input h got tap r from output
 * (h + pad - r) / stride, where that is whole. */
#include "gen/ir/transposed.h"

int axis_phases(int kernel, int stride, int pad, int size, Phase phases[MOST_STRIDE])
{
    int count = 0;
    for (int first = 0; first < stride && first < size; first++) {
        int tap0 = (first + pad) % stride;
        int taps = tap0 < kernel ? (kernel - 1 - tap0) / stride + 1 : 0;
        phases[count++] = (Phase){
            .first = first,
            .count = (size - 1 - first) / stride + 1,
            .taps = taps,
            .tap = tap0 + stride * (taps - 1),
            .start = (first + pad - tap0) / stride - (taps - 1),
        };
    }
    return count;
}
