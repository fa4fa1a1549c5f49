/* A profile as JSON: see profile_json.h. */
#include "runtime/train/profile_json.h"

void json_print_text(FILE *file, const char *text)
{
    fputc('"', file);
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;
        if (c == '"' || c == '\\')
            fprintf(file, "\\%c", c);
        else if (c < ' ')
            fprintf(file, "\\u%04x", c);
        else
            fputc(c, file);
    }
    fputc('"', file);
}

static void print_op(FILE *file, const Profile *profile, int op)
{
    const RtProfileOp *it = &profile->ops[op];
    double passes = (double)(profile->passes ? profile->passes : 1);
    fputs("{\"layer\": ", file);
    json_print_text(file, it->layer);
    fputs(", \"pass\": ", file);
    json_print_text(file, it->pass);
    fputs(", \"kernel\": ", file);
    json_print_text(file, it->kernel);
    fprintf(file, ", \"ms\": %.6g, \"calls\": %ld, \"macs\": %ld, \"bytes\": %ld",
            1e3 * profile_wall(profile, op) / passes, profile->times[op].calls, it->macs,
            it->bytes);
    fprintf(file, ", \"%s\": %.6g}", it->macs > 0 ? "ops_per_s" : "bytes_per_s",
            profile_rate(profile, op));
}

void profile_print_json(FILE *file, const Profile *profile)
{
    double speed = profile_speed(profile);
    double passes = (double)(profile->passes ? profile->passes : 1);
    fputs("{\"what\": ", file);
    json_print_text(file, profile->title);
    fputs(", \"per\": ", file);
    json_print_text(file, profile->pass);
    fprintf(file,
            ", \"threads\": %d, \"images\": %ld, \"passes\": %ld, \"images_per_s\": %.6g"
            ", \"ms\": %.6g, \"share_of_peak\": %.4g, \"ops\": [",
            profile->threads, profile->images, profile->passes, speed,
            speed > 0 ? 1e3 * (double)profile->images / speed / passes : 0,
            profile_peak_share(profile));
    for (int i = 0; i < profile->count; i++) {
        fputs(i ? ",\n    " : "\n    ", file);
        print_op(file, profile, i);
    }
    fputs("]}", file);
}
