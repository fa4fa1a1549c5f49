/* What became of a config's layers: its three programs, their generated source with a
 * line map, and the answers to what `show` and `diff` ask of them. */
#ifndef LATHE_INSPECT_H
#define LATHE_INSPECT_H

#include "gen/config/config_weights.h"
#include "gen/emit/emit.h"
#include "gen/passes/compile.h"

/* A generated file. */
typedef struct {
    const char *file; /* network.c, infer.c */
    char *text;
    const char **lines; /* of `text`, each ended by a 0; line 1 at [1] */
    int line_count;
    LineMap map;
} Source;

/* What is looked at. */
typedef struct {
    const Config *config;
    const char *path; /* the config's file, as it was opened */
    const char *const *sets;
    int set_count; /* the overrides it was loaded with */
    const CompileOptions *compile;
} Subject;

typedef struct {
    Subject subject;
    const Config *config;
    ShippedNets shipped;
    Net programs[PROGRAM_COUNT]; /* infer: the one of `shipped` that --target takes */
    bool has_infer;
    Constants constants;   /* of the checkpoint, or empty */
    char *refusal;         /* why there is no infer program, or there are no constants */
    Source network, infer; /* infer.c without its constants */
    int variant;           /* of infer.c's kernels */
    Weights weights;       /* of the checkpoint, or NULLs */
} Inspection;

/* Compile everything; `weights` is a checkpoint or NULL. What the subject points to
 * outlives it. A
 * network without an infer program is no failure. False and rt_fail; close it in any
 * case. */
bool inspect_open(Inspection *it, const Subject *subject, const char *weights);
void inspect_close(Inspection *it);

/* The command that would write network.c, for its banner; free() it. */
char *inspect_command(const Inspection *it);
/* Render infer.c, with or without its constants. */
bool inspect_render_infer(const Inspection *it, const Constants *constants,
                          Source *source);

/* Write the header that infer.c includes to the folder; needs the constants. */
bool inspect_write_header(const Inspection *it, const char *folder);

/* The layer of that name, or NONE and rt_fail with the nearest one. */
int inspect_layer(const Inspection *it, const char *name);
/* The layer whose ops do the work of `layer` in a program: itself, or, when it was fused
 * or folded away, the one that writes what comes of it; NONE when nothing is left of it.
 */
int inspect_done_by(const Inspection *it, int program, int layer);
/* Whether the op belongs to the backward pass. */
bool inspect_is_backward(const Op *op);
/* The source of a program: network.c or infer.c. */
const Source *inspect_source(const Inspection *it, int program);
/* The program that a part's op is of: infer's for its target. */
const Net *inspect_part_net(const Inspection *it, int program, const Part *part);
/* Whether a compiler for --target reads the part; constants, all of them, always. */
bool inspect_is_read(const Inspection *it, int program, const Part *part);
/* Whether the part is of ops (or a kernel of ops) of that layer in that program, forward
 * or backward. Calls and constants count, too. */
bool inspect_part_is_of(const Inspection *it, const Source *source, const Part *part,
                        int program, int layer, bool backward);

/* Per image: multiply-accumulates, and bytes if each tensor an op reads or writes goes to
 * memory and back once; what is not per image shared among the images of a batch. */
typedef struct {
    long macs;
    double bytes;
    int ops;
} Cost;
Cost inspect_cost(const Inspection *it, int program, int layer, bool backward);

/* The layer's ops and their tensors in a program, a few lines each. */
void inspect_print_ir(const Inspection *it, int program, int layer, FILE *file);

/* The file of the config that ops name as `shown`; false when it cannot be read. */
bool inspect_config_file(const Inspection *it, const char *shown, Source *source);
void source_free(Source *source);
/* Cut a text (owned from now on) into lines. */
void source_set(Source *source, const char *file, char *text, size_t bytes);

#endif
