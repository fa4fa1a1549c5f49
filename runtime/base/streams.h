/* The standard streams of a process, which may be closed, or full. */
#ifndef LATHE_STREAMS_H
#define LATHE_STREAMS_H

#include <stdbool.h>

/* To be called first: a stream that is closed gets a descriptor on which it fails, or the
 * next file to be opened would take its place and what is printed would go there. */
void streams_begin(void);
/* To be called last, when nothing else failed: whether all that was printed arrived;
 * false and rt_fail otherwise. */
bool streams_end(void);

#endif
