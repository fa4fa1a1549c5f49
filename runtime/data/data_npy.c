/* Images in a NumPy file: see data_npy.h. The header is one line of text behind a fixed
 * start: magic, version, length. */
#include "runtime/data/data_npy.h"

#include "runtime/base/support.h"

#include <stdlib.h>
#include <string.h>

enum { START = 10 }; /* of version 1 */

/* Whether the header describes bytes of this shape in C order; how many images. */
static bool parse_header(const char *header, const ImageSet *set, long *count)
{
    const char *shape = strstr(header, "'shape':");
    bool bytes = strstr(header, "'descr': '|u1'") != NULL;
    bool ordered = strstr(header, "'fortran_order': False") != NULL;
    long h, w, c;
    return bytes && ordered && shape &&
           sscanf(shape, "'shape': (%ld, %ld, %ld, %ld)", count, &h, &w, &c) == 4 &&
           h == set->height && w == set->width && c == set->channels && *count > 0 &&
           *count <= 10000000;
}

static bool take_images(const char *path, const char *data, size_t bytes, ImageSet *set)
{
    size_t length =
        bytes > START ? (unsigned char)data[8] + 256u * (unsigned char)data[9] : 0;
    long count = 0;
    bool ok = bytes > START + length && memcmp(data, "\x93NUMPY\x01", 7) == 0;
    if (ok) {
        char *header = rt_format("%.*s", (int)length, data + START);
        ok = parse_header(header, set, &count);
        free(header);
    }
    size_t image = (size_t)set->height * set->width * set->channels;
    ok = ok && bytes - START - length == count * image;
    if (!ok)
        return rt_fail("%s: want NumPy's uint8 array of (images, %d, %d, %d) in C order",
                       path, set->height, set->width, set->channels);
    set->unlabelled = true;
    uint8_t *to = image_set_add(set, path, (size_t)count);
    if (to)
        memcpy(to, data + START + length, count * image);
    return to != NULL;
}

bool data_load_npy(const char *path, ImageSet *set)
{
    size_t bytes;
    char *data = rt_read_file(path, &bytes);
    bool ok = data && take_images(path, data, bytes, set);
    free(data);
    return ok;
}
