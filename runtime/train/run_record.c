/* Lines that tell runs apart: see run_record.h. */
#include "runtime/train/run_record.h"

#include "runtime/base/parse.h"
#include "runtime/base/shell_word.h"
#include "runtime/base/support.h"
#include "runtime/base/text.h"
#include "runtime/checkpoint/checkpoint.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void print_flag(FILE *file, const char *flag, const char *value)
{
    char *word = value ? rt_shell_word(value) : NULL;
    if (word)
        fprintf(file, " %s %s", flag, rt_shown(word));
    free(word);
}

static void print_known(FILE *file, const char *key, double value)
{
    if (isfinite(value))
        fprintf(file, "made.%s=%.4f\n", key, value);
}

char *record_lines(const Model *model, const TrainState *state)
{
    char *text = NULL;
    size_t bytes;
    FILE *file = open_memstream(&text, &bytes);
    fprintf(file, "made.command=lathe train %s",
            rt_shown(model->origin ? model->origin : model->name));
    print_flag(file, "--data", state->data);
    print_flag(file, "--weights", state->weights);
    if (state->teaching)
        fprintf(file, " %s", rt_shown(state->teaching));
    fprintf(file, " --epochs %d --seed %llu\n", state->epochs,
            (unsigned long long)state->seed);
    if (state->epoch > 0 && state->history.count >= state->epoch) {
        const EpochRow *row = &state->history.rows[state->epoch - 1];
        fprintf(file, "made.epoch=%d\n", state->epoch);
        print_known(file, "train_accuracy", row->train_accuracy);
        print_known(file, "held_out_accuracy", row->held_out_accuracy);
        print_known(file, "test_accuracy", row->test_accuracy);
    }
    char *classes = class_names_lines(&state->classes);
    fputs(classes, file);
    free(classes);
    fclose(file);
    return text;
}

char *record_start(const char *path)
{
    static const char key[] = "made.start_of=";
    Checkpoint checkpoint;
    if (!checkpoint_read(path, &checkpoint)) {
        rt_error_clear(); /* who uses it says so */
        return rt_format("%s", path);
    }
    const char *at = checkpoint.progress;
    bool found = strncmp(at, key, sizeof key - 1) == 0;
    char *start = found ? rt_format("%.*s", (int)strcspn(at + sizeof key - 1, "\n"),
                                    at + sizeof key - 1)
                        : rt_format("%s", path);
    checkpoint_free(&checkpoint);
    return start;
}

static const char final_key[] = "made.final_test_accuracy=";

/* Without names of classes, of which there may be a thousand. */
static char *short_lines(const char *lines)
{
    char *text = NULL;
    size_t bytes;
    FILE *file = open_memstream(&text, &bytes);
    while (*lines) {
        size_t length = strcspn(lines, "\n") + 1;
        if (!class_names_is_line(lines))
            fwrite(lines, 1, length, file);
        lines += length;
    }
    fclose(file);
    return text;
}

bool record_report(const char *path, const char *lines, double test_accuracy)
{
    static const char mark[] = "\ntrained:\n";
    char *old = access(path, F_OK) == 0 ? rt_read_file(path, NULL) : NULL;
    rt_error_clear();
    char *end = old ? strstr(old, mark) : NULL;
    if (end)
        *end = 0;
    char *made = short_lines(lines);
    char *text =
        rt_format("%s%s%s%s%.4f\n", old ? old : "", mark, made, final_key, test_accuracy);
    free(made);
    bool ok = rt_write_if_changed(path, text, strlen(text));
    free(text);
    free(old);
    return ok;
}

bool record_final(const char *path, double *accuracy)
{
    char *text = rt_read_file(path, NULL);
    if (text == NULL)
        return false;
    char *at = strstr(text, final_key);
    if (at) {
        at += strlen(final_key);
        at[strcspn(at, "\n")] = 0;
    }
    bool ok = (at && parse_double(at, accuracy)) ||
              rt_fail("%s: says no %.*s", path, (int)strlen(final_key) - 1, final_key);
    free(text);
    return ok;
}
