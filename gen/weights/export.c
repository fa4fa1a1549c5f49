/* A checkpoint's arrays as other programs read them: see export.h. */
#include "gen/weights/export.h"

#include <string.h>

#include "gen/weights/weights_file.h"
#include "runtime/base/support.h"

typedef bool Writer(const char *path, const Array *arrays, int count);

static Writer *find_writer(const char *path)
{
    static const struct {
        const char *ending;
        Writer *write;
    } formats[] = {{".npz", npz_write}, {".safetensors", safetensors_write}};
    const char *ending = strrchr(path, '.');
    for (int i = 0; ending && i < 2; i++)
        if (strcmp(ending, formats[i].ending) == 0)
            return formats[i].write;
    rt_fail("%s: want a name that ends in .npz, NumPy's, or .safetensors", path);
    return NULL;
}

bool export_knows(const char *path)
{
    return find_writer(path) != NULL;
}

bool export_weights(const char *path, const Checkpoint *checkpoint)
{
    Writer *write = find_writer(path);
    return write && write(path, checkpoint->arrays, checkpoint->count);
}
