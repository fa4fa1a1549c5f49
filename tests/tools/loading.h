/* Loading pictures for tests: what is wanted, what came of it, and folders of known
 * pictures. */
#ifndef LATHE_TESTS_LOADING_H
#define LATHE_TESTS_LOADING_H

#include "runtime/data/data.h"

enum { H = 8, W = 12 }; /* of the network's images */

/* Of each test: two classes, RGB, a quarter to test, until it says otherwise. */
extern DataWant want;
extern DataParts parts;
extern ImageSet train, test;

/* The path of FOLDER/NAME in the test's folder. */
const char *path_below(const char *folder, const char *name);
/* A smooth JPEG that `seed` tells, and the folders it is in. */
void add_picture(const char *folder, const char *name, int width, int height, int seed);
/* Two classes, pictures of seeds 0 to 4 of several sizes, and val; the folder, "p". */
const char *make_parts(void);

/* Load train and test. */
bool load_both(const char *path);
void load_well(const char *path);
void free_both(void);
/* It does not load, and leaves nothing; `format` is the error, with %s for `named`. */
void check_fails(const char *path, const char *format, const char *named);
/* It loads, and training image `i` cannot be read; the same of its error. */
void check_broken(const char *path, int i, const char *format, const char *named);

/* Its pixels, [H][W][channels]; good for the next three calls. */
const uint8_t *pixels_of(const ImageSet *set, int i);
const uint8_t *pixel(const ImageSet *set, int i, int y, int x);
/* Whether image `i` is the picture of that seed, whatever size it had. */
bool is_picture(const ImageSet *set, int i, int seed);
void check_same(const ImageSet *a, const ImageSet *b);
/* `path` loads as what is loaded already; frees both. */
void check_loads_alike(const char *path);

#endif
