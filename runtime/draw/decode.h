/* What the decoders of pictures share: picture_decode() picks one of them. */
#ifndef LATHE_DECODE_H
#define LATHE_DECODE_H

#include "runtime/draw/picture.h"

/* Put the reason into `error`, unless there is one; false. */
bool decode_fail(PictureError *error, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* Room for the pixels, unless there are too many. */
bool decode_begin(Picture *picture, uint64_t width, uint64_t height, PictureError *error);

/* Fill in a picture; what it holds when this fails is still to be freed. */
bool decode_jpeg(const uint8_t *data, size_t bytes, Picture *picture,
                 PictureError *error);
bool decode_png(const uint8_t *data, size_t bytes, Picture *picture, PictureError *error);

/* Turn the picture upright by the orientation, 1 to 8, in an EXIF block, which begins
 * with its byte order; whatever else is in there leaves it as it is. */
void decode_turn(Picture *picture, const uint8_t *exif, size_t bytes);

#endif
