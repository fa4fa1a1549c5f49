/* A scratch folder and programs run in it: see scratch.h. */
#include "gen/base/scratch.h"

#include "gen/base/process.h"
#include "runtime/base/support.h"

#include <stdlib.h>
#include <string.h>

bool scratch_begin(Scratch *scratch, const char *path)
{
    size_t length = strlen(path);
    while (length > 1 && path[length - 1] == '/')
        length--;
    char *prefix = rt_format("%.*s.tmp", (int)length, path);
    signals_catch();
    bool ok = private_begin(&scratch->own, prefix);
    scratch->folder = scratch->own.path;
    free(prefix);
    if (!ok)
        scratch_end(scratch);
    return ok;
}

void scratch_end(Scratch *scratch)
{
    private_end(&scratch->own);
    scratch->folder = NULL;
    signals_restore();
}

bool scratch_goes_on(void)
{
    return signals_none();
}

bool scratch_run(const Scratch *scratch, const char *purpose, const char *input,
                 char *const argv[])
{
    return program_run(scratch->folder, purpose, input, (const char *const *)argv);
}
