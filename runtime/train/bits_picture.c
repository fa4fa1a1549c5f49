/* bits.png: see bits_picture.h. */
#include "runtime/train/bits_picture.h"

#include "runtime/base/support.h"
#include "runtime/draw/bars.h"
#include "runtime/train/size.h"

#include <stdlib.h>

bool bits_picture_write(const char *path, const Model *model, const float *params)
{
    static const char *const kinds[] = {"weights", "activations"};
    if (model->sized_count == 0)
        return true;
    Bar *bars = rt_alloc((size_t)model->sized_count * sizeof *bars);
    for (int i = 0; i < model->sized_count; i++) {
        const RtSized *sized = &model->sized[i];
        bars[i] = (Bar){sized->name, size_bits(sized, params), sized->is_activation};
    }
    char *title = rt_format("%s: bits of each layer", model->name);
    bool ok = bars_write(path, title, kinds, 2, bars, model->sized_count);
    free(title);
    free(bars);
    return ok;
}
