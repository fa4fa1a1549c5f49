/* Progress on a terminal: see watch.h. */
#include "runtime/data/watch.h"

#include "runtime/base/support.h"
#include "runtime/base/text.h"

#include <stdio.h>
#include <unistd.h>

void watch_show(const char *path, const char *what, int done, int all)
{
    static double shown;
    static bool drawn;
    bool end = what == NULL || done == all;
    if ((end && !drawn) || !isatty(STDERR_FILENO) ||
        (!end && seconds_now() - shown < 0.2))
        return;
    shown = seconds_now();
    drawn = !end;
    fprintf(stderr, "\r\033[K");
    if (!end && all > 0)
        fprintf(stderr, "%s: %d of %d %s", rt_shown(path), done, all, what);
    else if (!end)
        fprintf(stderr, "%s: %d %s", rt_shown(path), done, what);
    fflush(stderr);
}
