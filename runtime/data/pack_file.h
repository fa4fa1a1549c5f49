/* How a pack lies in its file, numbers with the low byte first: the head; from PACK_START
 * on one record for each item, a PackRecord and its bytes; an index of PackItems and
 * names. */
#ifndef LATHE_PACK_FILE_H
#define LATHE_PACK_FILE_H

#include <stdint.h>

#define PACK_MAGIC "LATHE\x89PK" /* 8 bytes */

enum { PACK_VERSION = 1, PACK_START = 4096 };

typedef enum { PACK_PICTURE, PACK_BROKEN, PACK_TEXT } PackKind;

typedef struct {
    char magic[8];
    uint32_t version, side;
    uint32_t pictures, items;   /* items: with texts, once it is whole */
    uint32_t done, unused;      /* pictures that are surely in the file */
    uint64_t end;               /* of their records; there the index begins */
    uint64_t index_bytes;       /* 0: not whole yet */
    char source[64], index[64]; /* SHA-256 of what is packed and how; of the index */
} PackHead;

/* PACK_PICTURE: width x height RGB pixels; PACK_BROKEN: why; PACK_TEXT: a file
 * as it is, behind the pictures: classes.txt, or what lists them, whose lines are in the
 * pictures' order: one .csv, or those to train and to test with. */
typedef struct {
    uint32_t kind, width, height, unused;
    uint64_t bytes;
} PackRecord;

/* Names follow all of them, each with a 0 behind it, in the same order. */
typedef struct {
    uint64_t offset; /* of the record's bytes */
    PackRecord record;
} PackItem;

#endif
