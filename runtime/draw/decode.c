/* Pictures from files, whichever format they are in: see picture.h and decode.h. */
#include "runtime/draw/decode.h"

#include "runtime/base/support.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MOST_PIXELS (64 * 1000 * 1000)

static const struct {
    const char *start; /* of every such file */
    size_t bytes;
    bool (*decode)(const uint8_t *data, size_t bytes, Picture *picture,
                   PictureError *error);
} formats[] = {
    {"\xff\xd8\xff", 3, decode_jpeg},
    {"\x89PNG\r\n\x1a\n", 8, decode_png},
};
enum { FORMATS = sizeof formats / sizeof *formats };

bool decode_fail(PictureError *error, const char *format, ...)
{
    if (error->text[0] == 0) {
        va_list args;
        va_start(args, format);
        vsnprintf(error->text, sizeof error->text, format, args);
        va_end(args);
    }
    return false;
}

bool decode_begin(Picture *picture, uint64_t width, uint64_t height, PictureError *error)
{
    if (width == 0 || height == 0 || width * height > MOST_PIXELS)
        return decode_fail(error, "%d x %d pixels, want at most %d million", (int)width,
                           (int)height, MOST_PIXELS / 1000000);
    picture->width = (int)width;
    picture->height = (int)height;
    picture->pixels = rt_alloc(width * height * 3);
    return true;
}

bool picture_decode(const void *data, size_t bytes, Picture *picture, PictureError *error)
{
    *picture = (Picture){0};
    error->text[0] = 0;
    if (bytes == 0)
        return decode_fail(error, "an empty file, want a JPEG or PNG picture");
    int i = 0;
    while (i < FORMATS && (bytes < formats[i].bytes ||
                           memcmp(data, formats[i].start, formats[i].bytes) != 0))
        i++;
    if (i == FORMATS)
        return decode_fail(error, "want a JPEG or PNG picture");
    if (formats[i].decode(data, bytes, picture, error))
        return true;
    picture_free(picture);
    return false;
}

bool picture_read(const char *path, Picture *picture)
{
    size_t bytes;
    char *data = rt_read_file(path, &bytes);
    PictureError error;
    *picture = (Picture){0};
    bool ok = data && (picture_decode(data, bytes, picture, &error) ||
                       rt_fail("%s: %s", path, error.text));
    free(data);
    return ok;
}

/* ---- EXIF ---- */

static unsigned number(const uint8_t *at, int bytes, bool little)
{
    unsigned value = 0;
    for (int i = 0; i < bytes; i++)
        value = value << 8 | at[little ? bytes - 1 - i : i];
    return value;
}

/* The block is a TIFF file: byte order, 42, where the first directory is; that has a
 * count and entries of tag, type, count and value, 12 bytes each. */
static int orientation(const uint8_t *exif, size_t bytes)
{
    enum { ENTRY = 12, TAG = 0x112, SHORT = 3 };
    if (bytes < 8 || (memcmp(exif, "II", 2) != 0 && memcmp(exif, "MM", 2) != 0))
        return 1;
    bool little = exif[0] == 'I';
    size_t at = number(exif + 4, 4, little);
    if (at > bytes - 2)
        return 1;
    size_t entries = number(exif + at, 2, little), room = (bytes - at - 2) / ENTRY;
    for (size_t i = 0; i < entries && i < room; i++) {
        const uint8_t *entry = exif + at + 2 + i * ENTRY;
        if (number(entry, 2, little) == TAG && number(entry + 2, 2, little) == SHORT)
            return (int)number(entry + 8, 2, little);
    }
    return 1;
}

void decode_turn(Picture *picture, const uint8_t *exif, size_t bytes)
{
    /* Where the first row and column of what is stored are: 2 mirrored, 3 turned by half,
     * 4 upside down; from 5 on columns are rows. */
    int way = orientation(exif, bytes);
    if (way < 2 || way > 8)
        return;
    bool swap = way >= 5;
    bool from_right = way == 2 || way == 3 || way == 7 || way == 8;
    bool from_below = way == 3 || way == 4 || way == 6 || way == 7;
    int width = swap ? picture->height : picture->width;
    int height = swap ? picture->width : picture->height;
    uint8_t *turned = rt_alloc((size_t)width * (size_t)height * 3), *to = turned;
    for (int y = 0; y < height; y++) {
        for (int x = 0; x < width; x++, to += 3) {
            int row = swap ? x : y, column = swap ? y : x;
            row = from_below ? picture->height - 1 - row : row;
            column = from_right ? picture->width - 1 - column : column;
            memcpy(to,
                   picture->pixels + ((size_t)row * (size_t)picture->width + column) * 3,
                   3);
        }
    }
    free(picture->pixels);
    *picture = (Picture){width, height, turned};
}
