/* Whether this is the test program with sanitizers. It takes several times as long, so that
 * a loop of many cases of one kind looks at every seventh there: SAMPLE(count) of them, the
 * i-th of which is case SAMPLED(i). */
#ifndef LATHE_SANITIZED_H
#define LATHE_SANITIZED_H

#ifdef __SANITIZE_ADDRESS__
enum { SANITIZED = 1, SAMPLED_EVERY = 7 };
#else
enum { SANITIZED = 0, SAMPLED_EVERY = 1 };
#endif

#define SAMPLED(i) ((i) * SAMPLED_EVERY)
#define SAMPLE(count) (((count) + SAMPLED_EVERY - 1) / SAMPLED_EVERY)

#endif
