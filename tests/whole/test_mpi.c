/* Processes that train together, as mpirun starts them: the bits of one process, and an
 * end for all of them whatever happens to one. */
#include "tests/suites.h"

#include "runtime/base/support.h"
#include "tests/tools/folder.h"
#include "tests/tools/lathe_run.h"
#include "tests/tools/process.h"
#include "tests/tools/trainer_run.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define IMAGES "random:120"
static char *trainer; /* of tests/nets/shared.lua; NULL: there is no MPI */

/* More processes than cores, and by root, as in a container. */
static void prepare(void)
{
    setenv("OMPI_ALLOW_RUN_AS_ROOT", "1", 1);
    setenv("OMPI_ALLOW_RUN_AS_ROOT_CONFIRM", "1", 1);
    setenv("OMPI_MCA_rmaps_base_oversubscribe", "1", 1);
    folder_make();
    if (!program_installed("mpirun") || !program_installed("mpicc"))
        return;
    LATHE_OK("train", net_config("shared"), "--mpi", "-o", in_folder("made"), "--data",
             IMAGES);
    trainer = rt_format("%s", in_folder("made/trainer"));
    /* Each process says who it is, and does what the test gives its rank to do. */
    write_text(in_folder("rank.sh"),
               "rank=${OMPI_COMM_WORLD_RANK-$PMI_RANK}\n"
               "echo $$ >pid.$rank.new && mv pid.$rank.new pid.$rank\n"
               "[ $rank = \"$ODD_RANK\" ] && eval \"$ODD\"\n"
               "exec \"$@\"\n");
    unsetenv("ODD");
}

static void clean_up(void)
{
    free(trainer);
    trainer = NULL;
    lathe_clean_up();
}

/* Begin to train in the folder `run` with so many processes. */
static pid_t start(const char *processes, const char *run, const char *flag,
                   const char *value)
{
    const char *const words[] = {"mpirun", "-n",    processes, "sh",   "rank.sh",
                                 trainer,  "train", "--data",  IMAGES, "-o",
                                 run,      flag,    value,     NULL};
    return process_start(in_folder("."), in_folder("out"), in_folder("err"), words);
}

static int end(pid_t child)
{
    int status = process_wait(child);
    free(err);
    free(out);
    out = rt_read_file(in_folder("out"), NULL);
    err = rt_read_file(in_folder("err"), NULL);
    return status;
}

static int train(const char *processes, const char *run, const char *flag,
                 const char *value)
{
    return end(start(processes, run, flag, value));
}

static void train_ok(const char *processes, const char *run, const char *flag,
                     const char *value)
{
    int status = train(processes, run, flag, value);
    ck_assert_msg(status == 0 && *err == 0, "%s processes: status %d: %s", processes,
                  status, err);
}

static void train_alone(const char *run, const char *flag, const char *value)
{
    const char *const words[] = {trainer, "train", "--data", IMAGES, "-o",
                                 run,     flag,    value,    NULL};
    ck_assert_int_eq(process_run(in_folder("."), NULL, in_folder("err"), words), 0);
}

static bool skipped(void)
{
    if (trainer == NULL)
        printf("skipped: mpi: no mpirun and mpicc here\n");
    return trainer == NULL;
}

/* Mixed images, two passes to a step, averages, evaluations; 64 chunks. */
START_TEST(processes_change_no_bit)
{
    if (skipped())
        return;
    train_alone("one", "--threads", "2");
    train_ok("4", "four", "--threads", "1");
    check_same_run("one", "four");
    ck_assert_ptr_nonnull(strstr(out, "test accuracy"));
    train_ok("16", "many", "--threads", "1");
    check_same_run("one", "many");
}
END_TEST

START_TEST(a_run_goes_on_with_other_processes)
{
    if (skipped())
        return;
    train_alone("whole", "--threads", "2");
    train_ok("4", "parts", "--steps", "1");
    train_alone("parts", "--resume", NULL);
    check_same_run("whole", "parts");
    train_ok("2", "parts2", "--steps", "3");
    train_ok("4", "parts2", "--resume", NULL);
    check_same_run("whole", "parts2");
}
END_TEST

/* Batch normalisation by each chunk's own statistics; none of them is a message. */
START_TEST(chunks_that_normalise_alone_change_no_bit)
{
    if (skipped())
        return;
    LATHE_OK("train", net_config("shared"), "--mpi", "--set", "train.bn='chunk'", "--set",
             "train.chunks=4", "-o", in_folder("alone"), "--data", IMAGES);
    free(trainer);
    trainer = rt_format("%s", in_folder("alone/trainer"));
    train_alone("one", "--threads", "2");
    train_ok("2", "two", "--threads", "1");
    check_same_run("one", "two");
    train_ok("4", "four", "--steps", "4");
    train_ok("2", "four", "--resume", NULL);
    check_same_run("one", "four");
}
END_TEST

/* ---- What may happen to one of them ---- */

static pid_t pid_of(int rank)
{
    char *name = rt_format("pid.%d", rank), *path = rt_format("%s", in_folder(name));
    while (access(path, F_OK) != 0)
        usleep(10000);
    char *text = rt_read_file(path, NULL);
    pid_t pid = (pid_t)atoi(text);
    free(text);
    free(path);
    free(name);
    return pid;
}

/* Within its first steps, a checkpoint of an epoch behind it. */
static pid_t start_endless(const char *run)
{
    pid_t child = start("4", run, "--epochs", "100000");
    char *path = rt_format("%s/last.ckpt", run);
    while (access(in_folder(path), F_OK) != 0)
        usleep(10000);
    free(path);
    return child;
}

/* None of them is left, and the checkpoint is one to go on from. */
static void check_ended(const char *run)
{
    for (int rank = 0; rank < 4; rank++)
        for (pid_t pid = pid_of(rank); kill(pid, 0) == 0;)
            usleep(10000);
    const char *const words[] = {trainer, "train",    "--data",  IMAGES, "-o",
                                 run,     "--resume", "--steps", "1",    NULL};
    int status = process_run(in_folder("."), NULL, in_folder("err"), words);
    char *text = rt_read_file(in_folder("err"), NULL);
    ck_assert_msg(status == 0 && *text == 0, "status %d: %s", status, text);
    free(text);
}

START_TEST(killed_processes_take_the_others_along)
{
    if (skipped())
        return;
    pid_t child = start_endless("run");
    kill(pid_of(_i), SIGKILL);
    ck_assert_int_ne(process_wait(child), 0);
    char *text = rt_read_file(in_folder("err"), NULL);
    ck_assert_msg(strstr(text, "signal 9") != NULL, "%s", text);
    free(text);
    check_ended("run");
}
END_TEST

START_TEST(a_signal_to_one_stops_all)
{
    if (skipped())
        return;
    pid_t child = start_endless("run");
    kill(pid_of(2), SIGTERM);
    ck_assert_int_eq(process_wait(child), 128 + SIGTERM);
    char *text = rt_read_file(in_folder("out"), NULL);
    ck_assert_msg(strstr(text, "stopped at epoch") != NULL, "%s", text);
    free(text);
    check_ended("run");
}
END_TEST

START_TEST(interrupted_mpirun_ends_all)
{
    if (skipped())
        return;
    pid_t child = start_endless("run");
    kill(child, SIGINT);
    ck_assert_int_ne(process_wait(child), 0);
    check_ended("run");
}
END_TEST

/* What one process alone cannot do, or does otherwise; and what all say then. */
static const struct {
    const char *rank, *does, *says;
} odd[] = {
    {"2", "set -- \"$1\" train --data random:121 -o run",
     "process 2 of 4, on HOST: other training images than process 0's, by SHA-256"},
    {"1", "set -- \"$@\" --seed 7",
     "process 1 of 4, on HOST: another config or flag than process 0's, by SHA-256"},
    {"3", "cp \"$1\" other && echo >>other && shift && set -- ./other \"$@\"",
     "process 3 of 4, on HOST: another program than process 0's, by SHA-256"},
    {"1", "set -- \"$1\" train --data none -o run", "process 1 of 4, on HOST: none: "},
    {"0", "trap '' XFSZ; ulimit -f 1", "run/best.ckpt: "},
};
enum { ODDS = sizeof odd / sizeof *odd };

/* It is all that they said; HOST is this machine. */
static void check_said(const char *want)
{
    char host[256] = "";
    gethostname(host, sizeof host - 1);
    const char *at = strstr(want, "HOST");
    char *says = at ? rt_format("shared: %.*s%s%s", (int)(at - want), want, host, at + 4)
                    : rt_format("shared: %s", want);
    at = strstr(err, says);
    ck_assert_msg(at && strstr(at + 1, "shared: ") == NULL, "%s, want %s", err, says);
    free(says);
}

START_TEST(one_that_fails_ends_all)
{
    if (skipped())
        return;
    setenv("ODD_RANK", odd[_i].rank, 1);
    setenv("ODD", odd[_i].does, 1);
    ck_assert_int_eq(train("4", "run", "--threads", "1"), 1);
    check_said(odd[_i].says);
}
END_TEST

/* One would be in more rounds than the others. */
START_TEST(evaluations_are_of_the_same_images)
{
    if (skipped())
        return;
    train_alone("run", "--epochs", "1");
    const char *const words[] = {"mpirun",        "-n",     "2",    "sh",
                                 "rank.sh",       trainer,  "eval", "--weights",
                                 "run/last.ckpt", "--data", IMAGES, NULL};
    ck_assert_int_eq(
        end(process_start(in_folder("."), in_folder("out"), in_folder("err"), words)), 0);
    ck_assert_int_eq(strncmp(out, "accuracy ", 9), 0);
    setenv("ODD_RANK", "1", 1);
    setenv("ODD", "set -- \"$1\" eval --weights run/last.ckpt --data random:500", 1);
    ck_assert_int_eq(
        end(process_start(in_folder("."), in_folder("out"), in_folder("err"), words)), 1);
    check_said("process 1 of 2, on HOST: other test images than process 0's, by SHA-256");
}
END_TEST

START_TEST(processes_are_a_power_of_two)
{
    if (skipped())
        return;
    ck_assert_int_eq(train("3", "run", "--threads", "1"), 1);
    ck_assert_msg(strstr(err, "shared: 3 processes, want a power of two and no more than "
                              "the 64 chunks of train.chunks\n") != NULL,
                  "%s", err);
    ck_assert_int_ne(access(in_folder("run"), F_OK), 0);
}
END_TEST

Suite *mpi_suite(void)
{
    TCase *tests = tcase_create("mpi");
    tcase_add_checked_fixture(tests, prepare, clean_up);
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, processes_change_no_bit);
    tcase_add_test(tests, a_run_goes_on_with_other_processes);
    tcase_add_test(tests, chunks_that_normalise_alone_change_no_bit);
    tcase_add_loop_test(tests, killed_processes_take_the_others_along, 0, 2);
    tcase_add_test(tests, a_signal_to_one_stops_all);
    tcase_add_test(tests, interrupted_mpirun_ends_all);
    tcase_add_loop_test(tests, one_that_fails_ends_all, 0, ODDS);
    tcase_add_test(tests, evaluations_are_of_the_same_images);
    tcase_add_test(tests, processes_are_a_power_of_two);
    Suite *suite = suite_create("mpi");
    suite_add_tcase(suite, tests);
    return suite;
}
