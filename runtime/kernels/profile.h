/* Where a trainer's time goes. A profiled build tells of each op what it is, reads the
 * clock around it and adds the time up, worker by worker; the runtime does the same for
 * what lies between calls of the network. Tables of it: profile_report.h. */
#ifndef LATHE_PROFILE_H
#define LATHE_PROFILE_H

#include "runtime/rt.h"

/* How an op is run: once for each chunk of images or each image, in parallel; as tasks, in
 * parallel; once for the images of a call, while other threads wait. */
typedef enum {
    PROFILE_CHUNK,
    PROFILE_IMAGE,
    PROFILE_TASKS,
    PROFILE_BATCH
} RtProfileScope;

typedef struct {
    const char *layer, *pass, *kernel;
    RtProfileScope scope;
    bool backward;
    bool integers; /* multiplies integers */
    long macs;     /* multiply-accumulates per image */
    long bytes;    /* read and written, per image, or per call of the network */
} RtProfileOp;

/* Model.profile of a profiled build. */
typedef struct RtProfile {
    const RtProfileOp *ops; /* of the training program, then of the evaluation program */
    int train_count, count;
} RtProfile;

/* For generated code, plain functions that any compiler can call. A time in ticks, and:
 * add the time since then to the op, for a worker; returns the time now. */
uint64_t rt_profile_now(void);
uint64_t rt_profile_lap(int worker, int op, uint64_t since);

/* What a process does between its calls of the network, and these. */
typedef enum {
    PART_AUGMENT,
    PART_TRAIN, /* Model.train */
    PART_OPTIMISER,
    PART_EVALUATE, /* Model.evaluate */
    PART_SCORE,    /* of the scores */
    PARTS
} ProfilePart;

/* Begin to count, from zero, if the model is a profiled build; profile_end frees. */
void profile_begin(const Model *model);
void profile_end(void);

/* Add the time since then, and images, to a part; returns the time now. */
uint64_t profile_part(ProfilePart part, int images, uint64_t since);

/* What was counted since profile_begin: of an op, if profile_counts says that ops are
 * counted, and of a part. */
typedef struct {
    double seconds; /* summed over threads */
    long calls;
} ProfileTime;
typedef struct {
    double seconds;
    long calls, images;
} ProfilePartTime;
bool profile_counts(void);
ProfileTime profile_time(int op);
ProfilePartTime profile_part_time(ProfilePart part);

#endif
