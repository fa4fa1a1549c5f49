/* A checkpoint's arrays as NumPy reads them: see export.h. */
#include "gen/weights/export.h"

#include "gen/weights/weights_file.h"

bool export_npz(const char *path, const Checkpoint *checkpoint)
{
    return npz_write(path, checkpoint->arrays, checkpoint->count);
}
