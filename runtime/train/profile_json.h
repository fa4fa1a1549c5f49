/* A profile for other programs. */
#ifndef LATHE_PROFILE_JSON_H
#define LATHE_PROFILE_JSON_H

#include "runtime/train/profile_report.h"

/* An object: speed, threads, share of peak, and each op with its time and rate. */
void profile_print_json(FILE *file, const Profile *profile);

/* The text in quotes, with what JSON wants escaped. */
void json_print_text(FILE *file, const char *text);

#endif
