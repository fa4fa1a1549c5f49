/* Saying how training goes: on a terminal one line that is redrawn, otherwise plain lines
 * now and then. */
#ifndef LATHE_PROGRESS_H
#define LATHE_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* A moment of the run. */
typedef struct {
    int epoch, epochs; /* the current one, from 1 */
    long images;       /* trained on in this epoch */
    long epoch_images;
    double loss, accuracy; /* means over those images */
} Moment;

typedef struct {
    FILE *out;
    bool terminal;
    bool drawn;                    /* the redrawn line stands on the terminal */
    double run_start, epoch_start; /* seconds_now() */
    long run_images, epoch_images; /* done of the run and the epoch at those times */
    double shown;                  /* seconds_now() of the last line */
} Progress;

/* For lines of any text. */
void progress_open(Progress *progress, FILE *out);
/* Show the line, if the last one is old enough; `now`: at once, on a terminal only. */
void progress_say(Progress *progress, const char *line, bool now);

/* Begin where the run stands, which after a resume is not its beginning. */
void progress_start(Progress *progress, FILE *out, const Moment *moment);
/* An epoch begins, or goes on after a resume. */
void progress_start_epoch(Progress *progress, const Moment *moment);
/* Show the moment, if the last line is old enough. */
void progress_show(Progress *progress, const Moment *moment);
/* Remove the redrawn line: somebody else is going to print. */
void progress_clear(Progress *progress);

/* The line itself, at most `width` characters: a bar fills what the text leaves free, and
 * speed and times give way to it. What does not fit then is cut. Times in seconds; a
 * negative one is not known yet. */
void progress_format(char *line, size_t size, int width, const Moment *moment,
                     double images_per_s, double epoch_left, double run_left);

/* Columns of the terminal that the file is; 0: it is none. */
int terminal_width(FILE *file);

#endif
