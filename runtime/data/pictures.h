/* Pictures of any size as images of a network. */
#ifndef LATHE_PICTURES_H
#define LATHE_PICTURES_H

#include "runtime/data/image_set.h"
#include "runtime/data/listing.h"
#include "runtime/data/want.h"

/* A picture's pixels as [height][width][channels], resized: the short side to want->resize, or,
 * for 0, to what just covers the network's image. NULL and a reason when it then is smaller, or
 * the network's images are neither grey nor RGB. free() it. */
uint8_t *picture_fit(const Picture *picture, const DataWant *want, int *height,
                     int *width, PictureError *error);
/* The same of a file, and the centre of it, an image of the network; rt_fail names it. */
bool picture_read_image(const char *path, const DataWant *want, uint8_t *image);

/* Decode the items of the listing, by their numbers, into a set with these labels. The first
 * that is broken, in that order, is an error. */
bool pictures_load(const Listing *listing, const int *items, const int32_t *labels,
                   int count, const DataWant *want, ImageSet *set);

#endif
