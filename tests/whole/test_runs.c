/* Runs and their folders: one process at a time, no other run's files are replaced
 * unasked, and what killed processes left goes. */
#include "tests/suites.h"

#include "runtime/base/support.h"
#include "runtime/train/run_folder.h"
#include "tests/tools/folder.h"
#include "tests/tools/lathe_run.h"
#include "tests/tools/process.h"
#include "tests/tools/trainer_run.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const char *const jits[] = {"--threads=1", "--jit=tcc"};

#define TRAIN(...)                                                                       \
    LATHE("train", net_config("picture"), "--data", "random:150", "-o",                  \
          in_folder("run"), jits[_i], __VA_ARGS__)
#define TRAIN_OK(...)                                                                    \
    do {                                                                                 \
        int status = TRAIN(__VA_ARGS__);                                                 \
        ck_assert_msg(status == 0 && *err == 0, "status %d: %s", status, err);           \
    } while (0)

/* lathe said this, the paths in it being in the folder. */
static void check_said(const char *format, const char *a, const char *b)
{
    char *want = rt_format(format, in_folder(a), in_folder(b));
    ck_assert_str_eq(err, want);
    free(want);
}

static void wait_for_file(const char *path)
{
    for (int i = 0; i < 1000 && access(path, F_OK) != 0; i++)
        nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
    ck_assert_int_eq(access(path, F_OK), 0);
}

/* network.c of the run, free() it; --jit writes none. */
static char *generated(void)
{
    const char *path = in_folder("run/network.c");
    return exists(path) ? rt_read_file(path, NULL) : rt_format("%s", "");
}

/* A second run in the folder is told who is there; a run that was killed is no obstacle,
 * nor does it leave anything half-written. */
START_TEST(a_folder_has_one_run)
{
    const char *last = in_folder("run/last.ckpt");
    TRAIN_OK("--steps", "1");
    ck_assert_int_eq(unlink(last), 0);
    pid_t child = process_start(
        NULL, in_folder("out"), in_folder("err"),
        lathe_command(WORDS("train", net_config("picture"), "--data", "random:150", "-o",
                            in_folder("run"), jits[_i], "--epochs", "90000")));
    wait_for_file(last);
    char *code = generated();
    ck_assert_int_eq(TRAIN("--epochs", "90000", "--set", "net.width=4"), 1);
    char *want =
        rt_format("lathe: %s: process %ld (%s) is at work there; wait for it, or "
                  "name another folder with -o\n",
                  in_folder("run"), (long)child, _i ? "lathe" : "trainer");
    ck_assert_str_eq(err, want);
    ck_assert_int_eq(LATHE("gen", net_config("picture"), "-o", in_folder("run")), 1);
    ck_assert_str_eq(err, want);
    char *after = generated();
    ck_assert_str_eq(code, after);
    ck_assert_int_eq(kill(child, SIGKILL), 0);
    ck_assert_int_eq(process_wait(child), -SIGKILL);
    TRAIN_OK("--epochs", "90000", "--resume", "--steps", "1");
    free(want);
    free(code);
    free(after);
}
END_TEST

static void take_in_child(int answer)
{
    int lock;
    bool ok = run_folder_take(in_folder("run"), &lock);
    write(answer, ok ? "1" : "0", 1);
    _exit(0);
}

/* The same process may take it again; another may not until it is left. */
START_TEST(a_lock_is_the_process_s)
{
    int lock, again, ends[2];
    ck_assert(run_folder_take(in_folder("run"), &lock));
    for (int round = 0; round < 2; round++) {
        char answer;
        ck_assert_int_eq(pipe(ends), 0);
        pid_t child = fork();
        if (child == 0)
            take_in_child(ends[1]);
        ck_assert_int_eq(read(ends[0], &answer, 1), 1);
        ck_assert_int_eq(process_wait(child), 0);
        ck_assert_int_eq(answer, round ? '1' : '0');
        if (round == 0) {
            ck_assert(run_folder_take(in_folder("run"), &again));
            run_folder_leave(again);
        }
        run_folder_leave(round == 0 ? lock : -1);
    }
}
END_TEST

START_TEST(another_run_is_kept)
{
    TRAIN_OK("--epochs", "1");
    char *code = generated();
    size_t bytes, now;
    char *best = rt_read_file(in_folder("run/best.ckpt"), &bytes);
    static const struct {
        const char *flag, *value, *differs;
    } cases[] = {
        {"--set", "train.lr=0.2",
         "train.lr: the checkpoint has 0.05, the config says 0.2"},
        {"--seed", "9", "train.seed: the checkpoint has 4, the config says 9"},
        {"--epochs", "2", "train.epochs: the checkpoint has 1, the config says 2"},
        {"--set", "net.width=4",
         "a: the checkpoint has CONV 5x5 stride 4 pad 2,2,2,2 to 8x8x8 from image, the "
         "config says CONV 5x5 stride 4 pad 2,2,2,2 to 8x8x4 from image"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        bool epochs = strcmp(cases[i].flag, "--epochs") == 0;
        ck_assert_int_eq(epochs ? TRAIN("--epochs", "2")
                                : TRAIN("--epochs", "1", cases[i].flag, cases[i].value),
                         1);
        char *want = rt_format("lathe: %%s: holds another run, which is kept: %%s: %s; "
                               "--force replaces it, -o names another folder\n",
                               cases[i].differs);
        check_said(want, "run", "run/last.ckpt");
        free(want);
    }
    char *code_now = generated();
    char *best_now = rt_read_file(in_folder("run/best.ckpt"), &now);
    ck_assert_str_eq(code, code_now);
    ck_assert(now == bytes && memcmp(best, best_now, bytes) == 0);
    TRAIN_OK("--epochs", "1"); /* the same run, begun anew */
    TRAIN_OK("--epochs", "1", "--seed", "9", "--force");
    ck_assert_int_eq(TRAIN("--epochs", "1"), 1);
    free(code);
    free(code_now);
    free(best);
    free(best_now);
}
END_TEST

/* A checkpoint that cannot be read may still be somebody's. */
START_TEST(a_damaged_run_is_kept)
{
    TRAIN_OK("--epochs", "1");
    write_text(in_folder("run/last.ckpt"), "lost\n");
    ck_assert_int_eq(TRAIN("--epochs", "1"), 1);
    check_said("lathe: %s: holds another run, which is kept: %s: not a lathe checkpoint; "
               "--force replaces it, -o names another folder\n",
               "run", "run/last.ckpt");
    TRAIN_OK("--epochs", "1", "--force");
}
END_TEST

START_TEST(litter_goes)
{
    const char *dead = in_folder("run/last.ckpt.tmp.4194999");
    const char *others = in_folder("run/notes.tmp.old");
    TRAIN_OK("--steps", "1");
    write_text(dead, "half a check");
    write_text(others, "mine");
    Replacement live;
    ck_assert(rt_replace_begin(&live, in_folder("run/elsewhere")));
    TRAIN_OK("--steps", "1");
    ck_assert(!exists(dead));
    ck_assert(exists(others));
    fputs("whole", live.file);
    ck_assert(rt_replace_commit(&live));
    ck_assert(exists(in_folder("run/elsewhere")));
    ck_assert_int_eq(unlink(others), 0);
}
END_TEST

/* The file has the text, with a path of the folder in it. */
static void check_has(const char *file, const char *format, const char *path)
{
    char *text = rt_read_file(in_folder(file), NULL), *want = rt_format(format, path);
    ck_assert_msg(text && strstr(text, want), "no \"%s\" in %s:\n%.3000s", want, file,
                  text);
    free(text);
    free(want);
}

/* Report, checkpoints and header say what they are of: the same whether the run was
 * stopped, and the float weights that a quantised one began with, not what stands for
 * them. */
START_TEST(runs_can_be_told_apart)
{
    const char *const set = "train.lr=0.01", *const quant =
                                                 "quant={ quantizer = 'parametric_d' }";
    const char *best = in_folder("run/best.ckpt");
    LATHE_OK("train", net_config("picture"), "--data", "random:150", "-o",
             in_folder("run"), "--set", set, "--seed", "7", "--epochs", "1");
    static const char command[] =
        "made.command=lathe train tests/nets/picture.lua --set train.lr=0.01 "
        "--data random:150 --epochs 1 --seed 7\nmade.epoch=1\nmade.train_accuracy=0.";
    check_has("run/best.ckpt", command, "");
    check_has("run/last.ckpt", command, "");
    check_has("run/report.txt", command, "");
    check_has("run/report.txt", "\nmade.final_test_accuracy=0.", "");
    check_has("run/report.txt",
              "\nconfig tests/nets/picture.lua --set train.lr=0.01, sha256 ", "");
    LATHE_OK("emit", net_config("picture"), "--weights", best, "-o", in_folder("i.c"),
             "--set", set);
    check_has("i.h",
              " * weights: best.ckpt\n * command=lathe train "
              "tests/nets/picture.lua --set train.lr=0.01 --data random:150 "
              "--epochs 1 --seed 7\n * epoch=1\n * train_accuracy=0.",
              "");
    LATHE_OK("train", net_config("picture"), "--data", "random:150", "-o", in_folder("q"),
             "--set", quant, "--weights", best, "--epochs", "2", "--steps", "1");
    LATHE_OK("train", net_config("picture"), "--data", "random:150", "-o", in_folder("q"),
             "--set", quant, "--epochs", "2", "--resume");
    check_has("q/best.ckpt", "--data random:150 --weights %s --epochs 2 ", best);
}
END_TEST

Suite *runs_suite(void)
{
    TCase *tests = tcase_create("runs");
    tcase_add_checked_fixture(tests, folder_make, lathe_clean_up);
    tcase_set_timeout(tests, 120);
    tcase_add_loop_test(tests, a_folder_has_one_run, 0, 2);
    tcase_add_test(tests, a_lock_is_the_process_s);
    tcase_add_loop_test(tests, another_run_is_kept, 0, 2);
    tcase_add_loop_test(tests, a_damaged_run_is_kept, 0, 1);
    tcase_add_loop_test(tests, litter_goes, 0, 1);
    tcase_add_test(tests, runs_can_be_told_apart);
    Suite *suite = suite_create("runs");
    suite_add_tcase(suite, tests);
    return suite;
}
