/* Running the trainer and looking at its files: see trainer_run.h. */
#include "tests/tools/trainer_run.h"

#include "runtime/base/support.h"
#include "runtime/checkpoint/checkpoint.h"
#include "runtime/train/trainer.h"
#include "tests/tools/folder.h"

#include <check.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

Model model;
Recipe recipe;
char *printed, *complained;

void trainer_prepare(void)
{
    folder_make();
    model = tiny_model;
    recipe = tiny_recipe;
    tiny_hooks = (TinyHooks){0};
    printed = complained = NULL;
}

void trainer_clean_up(void)
{
    free(printed);
    free(complained);
    folder_remove();
}

static int redirect(int descriptor, const char *path)
{
    int kept = dup(descriptor), file = open(path, O_CREAT | O_TRUNC | O_WRONLY, 0666);
    ck_assert(kept >= 0 && file >= 0);
    dup2(file, descriptor);
    close(file);
    return kept;
}

static void restore(int descriptor, int kept)
{
    dup2(kept, descriptor);
    close(kept);
}

int run_trainer(const char *const *arguments)
{
    const char *argv[24] = {"trainer"};
    int argc = 1;
    while (*arguments)
        argv[argc++] = *arguments++;
    fflush(stdout);
    rt_error_clear();
    int out = redirect(1, in_folder("stdout")), error = redirect(2, in_folder("stderr"));
    int status = trainer_main(argc, (char **)argv, &model, &recipe);
    fflush(stdout);
    restore(1, out);
    restore(2, error);
    free(printed);
    free(complained);
    printed = rt_read_file(in_folder("stdout"), NULL);
    complained = rt_read_file(in_folder("stderr"), NULL);
    return status;
}

void check_complaint(int status, const char *message)
{
    ck_assert_int_eq(status, 1);
    char *line = rt_format("tiny: %s\n", message);
    ck_assert_str_eq(complained, line);
    free(line);
}

void check_complaint_about(int status, const char *path, const char *message)
{
    char *line = rt_format("%s: %s", path, message);
    check_complaint(status, line);
    free(line);
}

bool exists(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0;
}

/* ---- Comparing runs ---- */

/* A file of a run in the folder. */
static const char *in_run(const char *run, const char *file)
{
    char path[64];
    snprintf(path, sizeof path, "%s/%s", run, file);
    return in_folder(path);
}

static void check_same_file(const char *a, const char *b, const char *file)
{
    size_t a_bytes, b_bytes;
    char *a_data = rt_read_file(in_run(a, file), &a_bytes);
    char *b_data = rt_read_file(in_run(b, file), &b_bytes);
    ck_assert_uint_eq(a_bytes, b_bytes);
    ck_assert_mem_eq(a_data, b_data, a_bytes);
    free(a_data);
    free(b_data);
}

static void check_same_arrays(const char *a, const char *b, const char *file)
{
    Checkpoint left, right;
    ck_assert(checkpoint_read(in_run(a, file), &left));
    ck_assert(checkpoint_read(in_run(b, file), &right));
    ck_assert_str_eq(left.config, right.config);
    ck_assert_int_eq(left.count, right.count);
    for (int i = 0; i < left.count; i++) {
        ck_assert_str_eq(left.arrays[i].name, right.arrays[i].name);
        ck_assert_mem_eq(left.arrays[i].values, right.arrays[i].values,
                         left.arrays[i].count * sizeof(float));
    }
    checkpoint_free(&left);
    checkpoint_free(&right);
}

char *timeless_log(const char *run)
{
    char *text = rt_read_file(in_run(run, "log.csv"), NULL), *to = text;
    ck_assert_ptr_nonnull(text);
    int commas = 0;
    for (char *at = text; *at; at++) {
        commas = *at == '\n' ? 0 : commas + (*at == ',');
        if (commas < 6 || commas > 7)
            *to++ = *at;
    }
    *to = 0;
    return text;
}

void check_same_run(const char *a, const char *b)
{
    check_same_file(a, b, "best.ckpt");
    check_same_arrays(a, b, "last.ckpt");
    char *left = timeless_log(a), *right = timeless_log(b);
    ck_assert_str_eq(left, right);
    free(left);
    free(right);
}

void check_log_rows(const char *run, int rows)
{
    char *text = rt_read_file(in_run(run, "log.csv"), NULL), *at = text;
    const char *names = "epoch,lr,train_loss,train_accuracy,held_out_loss,"
                        "held_out_accuracy,seconds,images_per_s,cc_from_step,"
                        "weights_kib,activations_kib,largest_activation_kib,"
                        "test_loss,test_accuracy,bits\n";
    ck_assert_ptr_nonnull(text);
    ck_assert_int_eq(strncmp(text, names, strlen(names)), 0);
    for (int row = 0; row <= rows; row++) {
        ck_assert_msg(row == 0 || atoi(at) == row, "row %d of %s", row, text);
        ck_assert_ptr_nonnull(at = strchr(at, '\n'));
        at++;
    }
    ck_assert_msg(*at == 0, "more than %d rows: %s", rows, text);
    free(text);
}

void check_same_values(const char *a, const char *a_prefix, const char *b,
                       const char *b_prefix)
{
    static const char *const names[] = {"fc.weight", "fc.bias", "norm.mean"};
    Checkpoint left, right;
    ck_assert(checkpoint_read(in_folder(a), &left));
    ck_assert(checkpoint_read(in_folder(b), &right));
    for (int i = 0; i < 3; i++) {
        const Array *one = checkpoint_find(&left, a_prefix, names[i]);
        const Array *other = checkpoint_find(&right, b_prefix, names[i]);
        ck_assert_msg(one && other, "no %s", names[i]);
        ck_assert_mem_eq(one->values, other->values, one->count * sizeof(float));
    }
    checkpoint_free(&left);
    checkpoint_free(&right);
}
