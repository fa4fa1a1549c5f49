/* What is asked of data: by a network and its config, by a call. */
#ifndef LATHE_WANT_H
#define LATHE_WANT_H

#include "runtime/data/class_names.h"

#include <stdbool.h>

/* Which files a call reads. */
typedef enum { DATA_TRAIN = 1, DATA_TEST = 2 } DataParts;

/* What a network reads, and what its config says of data. */
typedef struct {
    int height, width, channels;
    int classes;                    /* 0: as many as there are */
    const char *const *class_names; /* [classes], or NULL */
    ClassNames *found; /* out: the data's own names, where it has any; NULL: not wanted */
    int resize;        /* of pictures: the short side; 0: so that they just cover */
    double test_share; /* of each class, where nothing else tells test images */
    bool whole;        /* of pictures for training, random parts are cut out */
    bool skip_broken;  /* pass over broken pictures; else they are errors */
} DataWant;

#endif
