/* Printing a profile: tables by layer, kernel and pass from times and calls. */
#ifndef LATHE_PROFILE_REPORT_H
#define LATHE_PROFILE_REPORT_H

#include "runtime/kernels/profile.h"
#include "runtime/train/peak.h"

#include <stdio.h>

/* Time between calls of the network, of the whole process. */
typedef struct {
    const char *what;
    double seconds;
} ProfileOutside;

typedef struct {
    const char *title; /* "training" */
    const char *pass;  /* what times are given per: "step" */
    const RtProfileOp *ops;
    const ProfileTime *times; /* [count] */
    int count;
    int threads;
    long passes, calls, images; /* steps; calls of the network; images through it */
    double network;             /* seconds within those calls */
    ProfileOutside outside[2];
    int outside_count;
    Peak peak; /* of these threads */
} Profile;

/* What was counted since profile_begin; times has room for the model's ops. False when
 * the model is no profiled build or no image went through. The peak is left at 0:
 * unknown. */
typedef enum { PROFILE_TRAINING, PROFILE_EVALUATION } ProfileProgram;
bool profile_of(const Model *model, ProfileProgram program, Profile *profile,
                ProfileTime *times);

/* Seconds of the wall clock that an op takes: an even share of the threads' time, or all
 * of it where the others wait. */
double profile_wall(const Profile *profile, int op);
/* Floating-point or integer operations per second of an op with macs, two for each of
 * them; bytes per second of others; 0 while nothing was measured. */
double profile_rate(const Profile *profile, int op);
/* Images per second, all parts included. */
double profile_speed(const Profile *profile);
/* The share of the time that all multiplications would take at peak, 0..1. */
double profile_peak_share(const Profile *profile);

/* Measure the peak on one thread and on these, and print both; that of these. */
Peak profile_print_peak(FILE *file, int threads);
/* The tables: by layer and pass, by kernel, by pass. */
void profile_print(FILE *file, const Profile *profile);
/* One line: speed, and the share of peak. */
void profile_print_headline(FILE *file, const Profile *profile);
/* The peak, and the tables of training and of evaluation, where images went through since
 * profile_begin; nothing for a model that is no profiled build. */
void profile_print_all(FILE *file, const Model *model);

#endif
