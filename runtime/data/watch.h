/* On a terminal, how far a long look at many files is. */
#ifndef LATHE_WATCH_H
#define LATHE_WATCH_H

/* "PATH: DONE pictures", or "DONE of ALL" where `all` is known, a few times a second;
 * when all are done, or for `what` NULL, the line goes away. From one thread. */
void watch_show(const char *path, const char *what, int done, int all);

#endif
