/* The integer kernels' arithmetic that the compiler of this file has: the runtime's own,
 * for calls. Generated code includes the file of its target. */
#ifndef LATHE_DOTS_H
#define LATHE_DOTS_H

#include "runtime/kernels/vectors.h"

#include "runtime/kernels/dots_plain.h"
#if defined(__AVX512VNNI__) && defined(__AVX512VL__) && defined(__AVX512BW__)
#include "runtime/kernels/dots_vnni.h"
#define DOT_LANES 16
#elif defined(__AVX2__)
#include "runtime/kernels/dots_avx2.h"
#define DOT_LANES 8
#elif defined(__SSE2__)
#include "runtime/kernels/dots_sse.h"
#define DOT_LANES 4
#else
#define DOT_LANES 1
#endif

#define DOT_JOIN(name, lanes) name##lanes
#define DOT_WIDE(name, lanes) DOT_JOIN(name, lanes)
typedef DOT_WIDE(i, DOT_LANES) DotSums;
#define dot DOT_WIDE(dot_i, DOT_LANES)
#define each DOT_WIDE(each_i, DOT_LANES)
#define requantise DOT_WIDE(requantise_i, DOT_LANES)

#endif
