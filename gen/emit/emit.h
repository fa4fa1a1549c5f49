/* Printing generated files: templates filled in with a config and its programs. */
#ifndef LATHE_EMIT_H
#define LATHE_EMIT_H

#include "gen/config/config.h"
#include "gen/emit/constants.h"
#include "gen/passes/passes.h"
#include "runtime/data/image_set.h"

#define LATHE_VERSION "0.1"

/* Images a shipped file tests itself with, and the scores they must get. */
typedef struct {
    ImageSet images;
    int64_t *scores; /* [images][classes] */
} Selftest;

/* Lines of a generated text that belong together, and whose they are. */
typedef enum { PART_FUNCTION, PART_CALL, PART_CONSTANT, PART_KERNEL } PartKind;
typedef struct {
    PartKind kind;
    int first, last;  /* lines, from 1 */
    char program[16]; /* train, evaluate or infer; of all but kernels */
    int op;           /* its op there */
    char kernel[KERNEL_SIZE];
    int variant; /* of infer.c: its #if branch, by index into ShippedNets */
} Part;

typedef struct {
    Part *parts; /* by first line */
    int count;
} LineMap;

/* The infer program as each target that ships wants it, in the order a compiler tries
 * them; the last is plain C. */
typedef struct {
    struct {
        const Target *target;
        Net net;
        int program; /* the variant whose layers, constants and arena it has, or its own */
    } variants[TARGET_COUNT];
    int count;
    Ships kind; /* of file */
} ShippedNets;

/* What a template sees beside the config; unused parts stay NULL. */
typedef struct {
    const Config *config;
    const Target *target;
    const char *command; /* of the banner */
    const Net *layers;   /* as the config lays them out */
    const Net *train, *evaluate;
    const char *root;              /* Makefile: from its folder to lathe's */
    const ShippedNets *shipped;    /* infer */
    const char *name, *header;     /* infer: prefix of C names; file */
    const Constants *constants;    /* infer, or NULL: left out */
    const Selftest *selftest;      /* infer, or NULL */
    const char *made;              /* infer.h: lines on the weights, or NULL */
    const ClassNames *class_names; /* infer: in place of the config's, or NULL */
    const char *input;             /* infer: what images are: uint8, int8, rgb565 */
    int batch;                     /* infer: images that go layer by layer; 0: one */
    bool split, only_weights;      /* infer: constants in their own file */
    bool fetch;                    /* infer: weights outside the address space */
    bool prepare;                  /* infer: weights are transformed once */
    bool profile;                  /* trainer: keep the time of each op */
    bool mpi;                      /* trainer: of several processes */
    void (*more)(struct lua_State *lua,
                 const void *context); /* set names in the table on top */
    const void *context;               /* of `more` */
} EmitInput;

/* The text of templates/`name`; free() it. NULL and rt_fail when it cannot be read;
 * aborts with the template's line on an error in it, which is a bug of lathe, never the
 * user's. No error may be pending. */
char *emit(const char *name, const EmitInput *input, size_t *bytes);
/* The same, with the text's line map; free(map->parts). Constants that are missing are
 * left out of the text. */
char *emit_mapped(const char *name, const EmitInput *input, size_t *bytes, LineMap *map);

#endif
