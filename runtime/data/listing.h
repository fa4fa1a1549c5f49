/* The files of a folder, of a tar archive or of a pack, and their bytes: an archive is
 * read in place, a pack mapped, and so is what a compressed archive unpacks to, so that
 * all further on is the same for them. */
#ifndef LATHE_LISTING_H
#define LATHE_LISTING_H

#include "runtime/draw/picture.h"

typedef struct {
    char *path; /* within the folder or archive: "train/cat/1.jpg" */
    bool is_folder;
    long long offset;  /* in the archive; else 0 */
    long long bytes;   /* in the archive; else -1: not known yet */
    int width, height; /* of a picture in a pack, which is decoded; else 0 */
    bool is_broken;    /* in a pack: the bytes say why */
    bool is_text;      /* in a pack: a file as it is */
} Listed;

typedef struct {
    char *root; /* the folder or archive */
    bool is_archive, is_pack;
    const uint8_t *map; /* of a pack or an unpacked archive, all of it; else NULL */
    size_t map_bytes;
    Listed *items; /* sorted by path */
    int count, room;
} Listing;

/* All files below `root`, links followed, but hidden ones. False and rt_fail when a part
 * of it cannot be read. A failed listing is still to be freed. */
bool listing_of_folder(const char *root, Listing *listing);
/* Whether a folder in `root` has pictures, or cannot be looked into. */
bool listing_finds_pictures(const char *root);
/* The same of a tar archive, compressed or not; plain archives within it are folders by
 * their names without ".tar". */
bool listing_of_archive(const char *root, Listing *listing);
void listing_free(Listing *listing);

/* For what fills a listing in; takes `path` over. Sorted when all is there. */
bool listing_add(Listing *listing, const Listed *item);
void listing_sort(Listing *listing);

/* The item's name for errors: "FOLDER/PATH", "ARCHIVE: PATH"; free() it. */
char *listing_name(const Listing *listing, int item);
/* Its bytes, free() them; NULL and a reason when they cannot be read. Any number of
 * threads may ask. */
uint8_t *listing_read(const Listing *listing, int item, size_t *bytes,
                      PictureError *error);

/* Its picture, decoded; listing_picture_done() it. */
bool listing_picture(const Listing *listing, int item, Picture *picture,
                     PictureError *error);
void listing_picture_done(const Listing *listing, Picture *picture);

/* Whether an item of a pack is a .csv that the pack was made of, whole. */
bool listing_is_rows(const Listing *listing, int item);

/* Whether the name ends so, in capitals or not: ".jpg". */
bool name_ends(const char *name, const char *end);
/* Whether it is that of a picture. */
bool name_is_picture(const char *name);

#endif
