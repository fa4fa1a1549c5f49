/* Stopping a training run anywhere and resuming it: the same run to the bit. */
#include "tests/suites.h"

#include "runtime/base/support.h"
#include "runtime/checkpoint/checkpoint.h"
#include "runtime/train/train_state.h"
#include "tests/tools/folder.h"
#include "tests/tools/trainer_run.h"

#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

START_TEST(steps_one_by_one_are_the_same_run)
{
    ck_assert_int_eq(RUN(DATA, "-o", in_folder("a")), 0);
    ck_assert_int_eq(RUN(DATA, "-o", in_folder("b"), "--steps", "1"), 0);
    ck_assert_ptr_nonnull(
        strstr(printed, "\nstopped at epoch 1 step 1; continue with --resume\n"));
    for (int step = 2; step <= STEPS * EPOCHS; step++)
        ck_assert_int_eq(RUN(DATA, "-o", in_folder("b"), "--resume", "--steps", "1"), 0);
    ck_assert_ptr_nonnull(strstr(printed, "\ntest accuracy 0."));
    check_same_run("a", "b");
}
END_TEST

/* The signal comes in some call of train: within a step, in an epoch's last step. */
START_TEST(a_signal_stops_after_the_step)
{
    static const int signals[] = {SIGINT, SIGTERM, SIGHUP};
    int call = 1 + _i * 5, step = (call - 1) / CALLS, number = signals[_i % 3];
    ck_assert_int_eq(RUN(DATA, "-o", in_folder("a")), 0);
    tiny_hooks = (TinyHooks){.raise_in_train = call, .signal = number};
    ck_assert_int_eq(RUN(DATA, "-o", in_folder("b")), 128 + number);
    char *wanted = rt_format("\nstopped at epoch %d step %d; continue with --resume\n",
                             step / STEPS + 1, step % STEPS + 1);
    ck_assert_msg(strstr(printed, wanted) != NULL, "%s not in %s", wanted, printed);
    free(wanted);
    ck_assert_int_eq(RUN(DATA, "--resume", in_folder("b/last.ckpt"), "--threads", "3"),
                     0);
    check_same_run("a", "b");
}
END_TEST

/* As nohup leaves it. */
START_TEST(an_ignored_hangup_is_ignored)
{
    signal(SIGHUP, SIG_IGN);
    tiny_hooks = (TinyHooks){.raise_in_train = 4, .signal = SIGHUP};
    ck_assert_int_eq(RUN(DATA, "-o", in_folder("a")), 0);
    ck_assert_ptr_nonnull(strstr(printed, "\ntest accuracy 0."));
    signal(SIGHUP, SIG_DFL);
}
END_TEST

START_TEST(a_signal_stops_evaluation)
{
    ck_assert_int_eq(RUN(DATA, "-o", in_folder("a")), 0);
    tiny_hooks = (TinyHooks){.raise_in_evaluate = 6, .signal = SIGINT};
    ck_assert_int_eq(RUN(DATA, "-o", in_folder("b")), 130);
    ck_assert_ptr_nonnull(strstr(printed, "\nstopped at epoch 2 step 9;"));
    check_log_rows("b", 1);
    ck_assert_int_eq(RUN(DATA, "-o", in_folder("b"), "--resume"), 0);
    check_same_run("a", "b");
}
END_TEST

START_TEST(a_signal_in_the_last_test_keeps_the_run)
{
    tiny_hooks = (TinyHooks){.raise_in_evaluate = 3 * 4 + 2, .signal = SIGTERM};
    ck_assert_int_eq(RUN(DATA, "-o", in_folder("a")), 143);
    ck_assert_int_eq(RUN(DATA, "-o", in_folder("a"), "--resume"), 0);
    ck_assert_ptr_nonnull(strstr(printed, "\ntest accuracy 0."));
    ck_assert_ptr_null(strstr(printed, "epoch 3/3"));
}
END_TEST

START_TEST(resuming_goes_by_the_checkpoint)
{
    ck_assert_int_eq(RUN(DATA, "-o", in_folder("a"), "--epochs", "4"), 0);
    ck_assert_int_eq(RUN(DATA, "-o", in_folder("b"), "--epochs", "4", "--steps", "13"),
                     0);
    check_log_rows("b", 1);
    FILE *log = fopen(in_folder("b/log.csv"), "a");
    fputs("2,rows,of,another,time\n3,\n", log);
    fclose(log);
    ck_assert_int_eq(RUN(DATA, "-o", in_folder("b"), "--resume", "--steps", "1"), 0);
    check_log_rows("b", 1);
    ck_assert_int_eq(RUN(DATA, "-o", in_folder("b"), "--resume"), 0);
    check_same_run("a", "b");
    ck_assert_int_eq(RUN(DATA, "-o", in_folder("b"), "--resume", "--epochs", "5"), 0);
    check_log_rows("b", 5);
    check_complaint_about(RUN(DATA, "-o", in_folder("b"), "--resume", "--epochs", "4"),
                          in_folder("b/last.ckpt"),
                          "already in epoch 5, --epochs says 4");
}
END_TEST

START_TEST(a_resumed_run_may_move)
{
    ck_assert_int_eq(RUN(DATA, "-o", in_folder("a")), 0);
    ck_assert_int_eq(RUN(DATA, "-o", in_folder("b"), "--steps", "20"), 0);
    const char *last = in_folder("b/last.ckpt");
    ck_assert_int_eq(RUN(DATA, "-o", in_folder("c"), "--resume", last), 0);
    check_same_run("a", "c");
    ck_assert_int_eq(RUN(DATA, "-o", in_folder("d"), "--resume", last, "--steps", "1"),
                     0);
    check_same_values("b/best.ckpt", "", "d/best.ckpt", "");
    ck_assert_int_eq(unlink(in_folder("b/best.ckpt")), 0);
    check_complaint_about(RUN(DATA, "-o", in_folder("e"), "--resume", last),
                          in_folder("b/best.ckpt"), "No such file or directory");
}
END_TEST

START_TEST(resuming_refuses_what_differs)
{
    const char *a = in_folder("a"), *last = in_folder("a/last.ckpt");
    ck_assert_int_eq(RUN(DATA, "-o", a, "--steps", "12", "--seed", "8"), 0);
    check_complaint_about(RUN(DATA, "-o", a, "--resume", "--seed", "9"), last,
                          "the run has seed 8, --seed says 9");
    check_complaint(RUN("--data", "random:104", "-o", a, "--resume"),
                    "random:104: 91 images to train on, the run to resume had 92");
    check_complaint_about(
        RUN(DATA, "--resume", in_folder("a/best.ckpt")), in_folder("a/best.ckpt"),
        "weights for use, no training state; start from them with --weights");
    model.config = "name=tiny\ntrain.epochs=3\ntrain.lr=0.2\ntrain.seed=5\n";
    check_complaint_about(RUN(DATA, "-o", a, "--resume"), last,
                          "train.lr: the checkpoint has 0.1, the config says 0.2");
    model.config = tiny_model.config;
    model.arch = "input=2x2x3\nfc=dense 12 4\n";
    check_complaint_about(
        RUN(DATA, "-o", a, "--resume"), last,
        "fc: the checkpoint has dense 12 3, the config says dense 12 4");
    model.arch = tiny_model.arch;
    ck_assert_int_eq(RUN(DATA, "-o", a, "--resume", "--seed", "8"), 0);
}
END_TEST

START_TEST(the_state_comes_back_exactly)
{
    EpochRow row = {1,       0.1,    1.0 / 3, 0.5,  2.0 / 3,
                    0.25,    12.345, 1e5 / 7, 37,   1.0 / 3,
                    2.0 / 3, NAN,    NAN,     0.75, rt_format("4 6 4")};
    TrainState back, state = {.epochs = 9,
                              .seed = UINT64_MAX,
                              .images = 90,
                              .epoch = 1,
                              .step = 4,
                              .cc_from = 37,
                              .loss = 1.0 / 7,
                              .correct = 33,
                              .seconds = 1e-9 / 3,
                              .best_epoch = 1,
                              .best_correct = 8,
                              .best_loss = 1e9 / 3,
                              .best_within = true};
    history_add(&state.history, &row);
    Optim optim;
    optim_alloc(&optim, &model, &recipe);
    const char *path = in_folder("a.ckpt");
    ck_assert(state_save(path, &state, &optim, model.config, "made.x=y\n"));
    Checkpoint checkpoint;
    ck_assert(checkpoint_read(path, &checkpoint));
    ck_assert_msg(state_read(&checkpoint, path, &back), "%s", rt_error());
    char *before = history_format(state.history.rows);
    char *after = history_format(back.history.rows);
    ck_assert_str_eq(before, "1,0.1,0.333333,0.500000,0.666667,0.250000,12.35,14285.7,37,"
                             "0.333,0.667,,,0.750000,4 6 4");
    ck_assert_str_eq(before, after);
    ck_assert_int_eq(back.history.count, 1);
    free(before);
    free(after);
    ck_assert_uint_eq(back.seed, state.seed);
    ck_assert(back.epochs == 9 && back.images == 90 && back.epoch == 1);
    ck_assert(back.step == 4 && back.cc_from == 37 && back.correct == 33);
    ck_assert(back.best_epoch == 1 && back.best_correct == 8);
    ck_assert(back.loss == state.loss && back.seconds == state.seconds);
    ck_assert(back.best_loss == state.best_loss);
    ck_assert(back.best_within);
    state_free(&back);
    state_free(&state);
    checkpoint_free(&checkpoint);
    optim_free(&optim);
}
END_TEST

/* As long as a run may be, in time that grows with the rows. */
START_TEST(long_logs_come_back)
{
    enum { ROWS = 100000 };
    TrainState back, state = {.epochs = ROWS, .images = 90, .epoch = ROWS, .cc_from = -1};
    for (int i = 1; i <= ROWS; i++) {
        EpochRow row = {i,    0.1,    1.0 / 3, 0.5,  2.0 / 3,
                        0.25, 12.345, 1e5 / 7, NAN,  100,
                        200,  300,    0.5,     0.75, rt_format("4 6 4 4")};
        history_add(&state.history, &row);
    }
    Optim optim;
    Checkpoint checkpoint;
    optim_alloc(&optim, &model, &recipe);
    const char *path = in_folder("a.ckpt");
    ck_assert_msg(state_save(path, &state, &optim, model.config, ""), "%s", rt_error());
    ck_assert_msg(checkpoint_read(path, &checkpoint), "%s", rt_error());
    ck_assert_msg(state_read(&checkpoint, path, &back), "%s", rt_error());
    ck_assert_int_eq(back.history.count, ROWS);
    ck_assert_int_eq(back.history.rows[ROWS - 1].epoch, ROWS);
    checkpoint_free(&checkpoint);
    state_free(&state);
    state_free(&back);
    optim_free(&optim);
}
END_TEST

static const struct {
    const char *line, *becomes, *key;
} bad_states[] = {
    {"epoch=1\n", "", "epoch"},
    {"epoch=1\n", "epoch=4\n", "epoch"},
    {"step=3\n", "step=-1\n", "step"},
    {"step=3\n", "step=3 \n", "step"},
    {"seed=5\n", "seed=five\n", "seed"},
    {"loss=", "loss=nan", "loss"},
    {"correct=", "correct=1000", "correct"},
    {"best_epoch=1\n", "best_epoch=2\n", "best_epoch"},
    {"log.1=1,", "log.1=2,", "log.1"},
    {"log.1=1,", "log.1=1,1,", "log.1"},
    {"log.1=1,", "log.1=1\nrest=", "log.1"},
};

START_TEST(a_bad_state_is_named)
{
    const char *path = in_folder("a/last.ckpt");
    ck_assert_int_eq(RUN(DATA, "-o", in_folder("a"), "--steps", "12"), 0);
    Checkpoint checkpoint;
    ck_assert(checkpoint_read(path, &checkpoint));
    char *old = checkpoint.progress, *line = rt_format("\n%s", bad_states[_i].line);
    char *at = strstr(old, line);
    ck_assert_ptr_nonnull(at);
    checkpoint.progress = rt_format("%.*s\n%s%s", (int)(at - old), old,
                                    bad_states[_i].becomes, at + strlen(line));
    ck_assert(checkpoint_write(path, &checkpoint));
    checkpoint_free(&checkpoint);
    free(old);
    free(line);
    char *message =
        rt_format("the training state lacks a good \"%s\"", bad_states[_i].key);
    check_complaint_about(RUN(DATA, "-o", in_folder("a"), "--resume"), path, message);
    free(message);
}
END_TEST

Suite *resume_suite(void)
{
    TCase *tests = tcase_create("resume");
    tcase_add_checked_fixture(tests, trainer_prepare, trainer_clean_up);
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, steps_one_by_one_are_the_same_run);
    tcase_add_loop_test(tests, a_signal_stops_after_the_step, 0, 17);
    tcase_add_test(tests, an_ignored_hangup_is_ignored);
    tcase_add_test(tests, a_signal_stops_evaluation);
    tcase_add_test(tests, a_signal_in_the_last_test_keeps_the_run);
    tcase_add_test(tests, resuming_goes_by_the_checkpoint);
    tcase_add_test(tests, a_resumed_run_may_move);
    tcase_add_test(tests, resuming_refuses_what_differs);
    tcase_add_test(tests, the_state_comes_back_exactly);
    tcase_add_test(tests, long_logs_come_back);
    tcase_add_loop_test(tests, a_bad_state_is_named, 0,
                        sizeof bad_states / sizeof bad_states[0]);
    Suite *suite = suite_create("resume");
    suite_add_tcase(suite, tests);
    return suite;
}
