/* lathe in a process of its own: see lathe_run.h. */
#include "tests/tools/lathe_run.h"

#include "runtime/base/support.h"
#include "tests/tools/built_net.h"
#include "tests/tools/folder.h"
#include "tests/tools/process.h"

#include <limits.h>
#include <stdlib.h>

enum { MOST_WORDS = 24 };
char *out, *err;

void lathe_clean_up(void)
{
    free(out);
    free(err);
    out = err = NULL;
    folder_remove();
}

const char *const *lathe_command(const char *const *words)
{
    static const char *all[MOST_WORDS];
    int count = 0;
    for (all[count++] = lathe_program(); *words; words++)
        all[count++] = *words;
    all[count] = NULL;
    ck_assert_int_lt(count, MOST_WORDS);
    return all;
}

int lathe_run(const char *folder, const char *const *words)
{
    int status =
        process_run(folder, in_folder("out"), in_folder("err"), lathe_command(words));
    free(out);
    free(err);
    out = rt_read_file(in_folder("out"), NULL);
    err = rt_read_file(in_folder("err"), NULL);
    ck_assert(out && err);
    return status;
}

const char *net_config(const char *name)
{
    static char paths[4][PATH_MAX];
    static int next;
    char *path = net_path(name), *kept = paths[next++ % 4];
    snprintf(kept, PATH_MAX, "%s", path);
    free(path);
    return kept;
}
