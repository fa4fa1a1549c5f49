/* Pictures of any size as images of a network. */
#ifndef LATHE_PICTURES_H
#define LATHE_PICTURES_H

#include "runtime/data/want.h"
#include "runtime/draw/picture.h"

/* Whether a network of so many channels, 1 or 3, reads pictures; else false and
 * a reason. */
bool picture_suits(const DataWant *want, PictureError *error);

/* The picture as the network's image, [height][width][channels]: resized, the short side
 * to want->resize, or, for 0, to what just covers the image, and the centre of that;
 * grey, where it is wanted, is the luminance. False and a reason when there is less than
 * an image. */
bool picture_to_image(const Picture *picture, const DataWant *want, uint8_t *image,
                      PictureError *error);
/* The same of a file; rt_fail names it. */
bool picture_read_image(const char *path, const DataWant *want, uint8_t *image);

/* All pixels, [height][width][channels], with 1 or 3 channels. */
void picture_take_channels(const Picture *picture, int channels, uint8_t *to);

/* The size that a picture of this height and width gets so that its short side has `side`
 * pixels; what is cut off of a fraction is a matter of other programs' custom. */
void picture_size_by_side(int64_t *height, int64_t *width, int side);

#endif
