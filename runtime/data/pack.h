/* A pack: pictures of class folders or an archive, decoded and resized once, in one file
 * that runs map. It stands for what it was made of: names, order and classes.txt are
 * kept. */
#ifndef LATHE_PACK_H
#define LATHE_PACK_H

#include "runtime/data/listing.h"

/* Make the pack `file` of the class folders or archive at `data`; of pictures whose short
 * side has more than `side` pixels, it gets that many. With `skip`, broken ones keep
 * their place and their fault; else the first is an error. What is written so far is kept
 * in FILE.partial, where the next call goes on, and FILE appears when all is there. */
bool data_pack(const char *data, const char *file, int side, bool skip);

/* Whether the file begins as a pack does. */
bool pack_begins(const char *path);
/* The pictures in it, as listing_of_archive does. Checks magic, version, sizes, and the
 * index by its hash; of pixels, that they are there. */
bool listing_of_pack(const char *path, Listing *listing);

#endif
