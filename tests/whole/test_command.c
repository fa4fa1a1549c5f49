/* lathe as a person runs it: every verb, from a config and random or sample images to a
 * trained network, its file, and back; and what is said to mistakes. */
#include "tests/suites.h"

#include "gen/base/paths.h"
#include "runtime/base/support.h"
#include "runtime/checkpoint/checkpoint.h"
#include "tests/tools/built_net.h"
#include "tests/tools/folder.h"
#include "tests/tools/lathe_run.h"
#include "tests/tools/process.h"
#include "tests/tools/trainer_run.h"

#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* ---- Help and mistakes ---- */

static const char *const verbs[] = {"gen",    "train",  "eval",  "classify", "emit",
                                    "verify", "show",   "bench", "ptq",      "repl",
                                    "import", "export", "data",  "diff",     "compare"};
enum { VERBS = sizeof verbs / sizeof *verbs };

START_TEST(every_verb_explains_itself)
{
    char *usage = rt_format("usage: lathe %s ", verbs[_i]);
    const char *const words[][2] = {
        {verbs[_i], "--help"}, {verbs[_i], "-h"}, {"help", verbs[_i]}};
    for (int i = 0; i < 3; i++) {
        LATHE_OK(words[i][0], words[i][1]);
        ck_assert_int_eq(strncmp(out, usage, strlen(usage)), 0);
    }
    LATHE_OK("--help");
    char *line = rt_format("\n  %-10s ", verbs[_i]);
    ck_assert_ptr_nonnull(strstr(out, line));
    free(line);
    free(usage);
}
END_TEST

START_TEST(no_words)
{
    ck_assert_int_eq(lathe_run(NULL, WORDS(NULL)), 1);
    ck_assert_int_eq(strncmp(out, "usage: lathe VERB", 17), 0);
    static const char *const asked[] = {"version", "--version"};
    for (int i = 0; i < 2; i++) {
        LATHE_OK(asked[i]);
        ck_assert_int_eq(strncmp(out, "lathe ", 6), 0);
    }
}
END_TEST

static const struct {
    const char *words[9], *message; /* CONFIG stands for a config */
} mistakes[] = {
    {{"trian"}, "lathe: unknown verb trian; did you mean train; see lathe --help\n"},
    {{"zzz"}, "lathe: unknown verb zzz; see lathe --help\n"},
    {{"gen"}, "lathe: want a CONFIG, a file such as configs/resnet20_fp_cifar10.lua\n"},
    {{"show"}, "lathe: want a CONFIG, a file such as configs/resnet20_fp_cifar10.lua\n"},
    {{"gen", "CONFIG", "more"}, "lathe: gen: unexpected word more\n"},
    {{"gen", "CONFIG", "--targt", "avx2"},
     "lathe: gen: unknown flag --targt; did you mean --target?\n"},
    {{"emit", "CONFIG", "--zzzzzzzz"},
     "lathe: emit: unknown flag --zzzzzzzz; see --help\n"},
    {{"gen", "CONFIG", "--set"}, "lathe: --set: want PATH=VALUE behind it\n"},
    {{"ptq", "CONFIG", "--weights", "w", "--data", "d", "-o", "w"},
     "lathe: ptq: -o w is the float network itself; want another file\n"},
    {{"gen", "CONFIG", "--set", "train.epohcs=1"},
     "lathe: tests/nets/picture.lua: unknown field train.epohcs; did you mean "
     "train.epochs?\n"},
    {{"gen", "CONFIG", "--lower", "up"},
     "lathe: --lower up: want direct, call, blas or winograd\n"},
    {{"gen", "none.lua"}, "lathe: none.lua: No such file or directory\n"},
    {{"emit", "CONFIG", "-o", "x.c"}, "lathe: emit: --weights FILE is missing\n"},
    {{"emit", "CONFIG", "--weights", "x"}, "lathe: emit: -o FILE.c is missing\n"},
    {{"emit", "CONFIG", "--weights", "none", "-o", "x.c"},
     "lathe: none: No such file or directory\n"},
    {{"verify", "CONFIG", "--data", "x"}, "lathe: verify: --weights FILE is missing\n"},
    {{"verify", "CONFIG", "--weights", "x"}, "lathe: verify: --data DIR is missing\n"},
    {{"import", "CONFIG", "-o", "x"}, "lathe: import: want one file of WEIGHTS\n"},
    {{"import", "CONFIG", "none"}, "lathe: import: -o FILE is missing\n"},
    {{"export", "-o", "x.npz"}, "lathe: export: want one checkpoint\n"},
    {{"export", "none", "-o", "x.pt"},
     "lathe: x.pt: want a name that ends in .npz, NumPy's, or .safetensors\n"},
    {{"export", "none"}, "lathe: export: -o FILE.npz is missing\n"},
    {{"show", "CONFIG", "--dump", "train/plam"},
     "lathe: --dump train/plam: unknown pass; did you mean train/plan; see lathe show "
     "--help\n"},
    {{"train"}, "lathe: want a CONFIG, a file such as configs/resnet20_fp_cifar10.lua\n"},
    {{"train", "CONFIG", "--epochs", "2", "--data=x", "--epochs=2"},
     "lathe: train: --epochs is given twice\n"},
    {{"bench", "CONFIG", "--weights", "x"},
     "lathe: bench: --weights is a flag of train, eval, classify, ptq, emit, verify, "
     "repl, "
     "show; see --help\n"},
    {{"gen", "CONFIG", "--profile=yes"}, "lathe: --profile: takes no value\n"},
    {{"eval", "CONFIG", "--weights=", "--data", "x"},
     "lathe: --weights: want FILE behind it\n"},
    {{"help", "trian"},
     "lathe: unknown verb trian; did you mean train; see lathe --help\n"},
    {{"train", "CONFIG"}, "lathe: train: --data DIR is missing\n"},
    {{"train", "CONFIG", "--dta", "x"},
     "lathe: train: unknown flag --dta; did you mean --data?\n"},
    {{"train", "CONFIG", "--data", "random:100", "--images", "5"},
     "lathe: train: --images is a flag of eval, ptq, verify; see --help\n"},
    {{"train", "CONFIG", "--data", "random:100", "--steps", "abc"},
     "lathe: --steps: \"abc\", want a whole number from 1 to 1099511627776\n"},
    {{"train", "CONFIG", "--data", "random:100", "--profil"},
     "lathe: train: unknown flag --profil; did you mean --profile?\n"},
    {{"train", "CONFIG", "--data", "random:100", "more"},
     "lathe: train: unexpected word more\n"},
};
enum { MISTAKES = sizeof mistakes / sizeof *mistakes };

START_TEST(mistakes_are_explained)
{
    const char *words[10] = {NULL};
    for (int i = 0; mistakes[_i].words[i]; i++) {
        const char *word = mistakes[_i].words[i];
        words[i] = strcmp(word, "CONFIG") == 0 ? net_config("picture") : word;
    }
    int status = lathe_run(in_folder("."), words);
    ck_assert_str_eq(err, mistakes[_i].message);
    ck_assert_str_eq(out, "");
    ck_assert_int_eq(status, 1);
    ck_assert_int_ne(access(in_folder("x.c"), F_OK), 0);
}
END_TEST

/* ---- gen ---- */

START_TEST(gen_leaves_what_is_there)
{
    static const char *const files[] = {"train.c", "network.c", "Makefile", "report.txt"};
    struct stat first[4], second;
    LATHE_OK("gen", net_config("picture"), "-o", in_folder("a"));
    for (int i = 0; i < 4; i++) {
        char *path = rt_format("%s/%s", in_folder("a"), files[i]);
        ck_assert_int_eq(stat(path, &first[i]), 0);
        free(path);
    }
    nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
    LATHE_OK("gen", net_config("picture"), "-o", in_folder("a"));
    ck_assert_int_eq(
        lathe_run(in_folder("."), WORDS("gen", net_config("picture"), "-o", "b")), 0);
    for (int i = 0; i < 4; i++) {
        char *path = rt_format("%s/%s", in_folder("a"), files[i]);
        char *other = rt_format("%s/%s", in_folder("b"), files[i]);
        ck_assert_int_eq(stat(path, &second), 0);
        ck_assert_int_eq(first[i].st_mtim.tv_sec, second.st_mtim.tv_sec);
        ck_assert_int_eq(first[i].st_mtim.tv_nsec, second.st_mtim.tv_nsec);
        check_same_bytes(path, other);
        free(path);
        free(other);
    }
}
END_TEST

/* A generated folder is a program of its own: make builds it. */
START_TEST(generated_folders_build)
{
    LATHE_OK("gen", net_config("picture"), "--target", "plain", "-o", in_folder("a"));
    char *root = rt_format("LATHE=%s", lathe_root());
    int status = process_run(NULL, NULL, in_folder("err"),
                             WORDS("make", "-s", "-C", in_folder("a"), root));
    char *said = rt_read_file(in_folder("err"), NULL);
    ck_assert_msg(status == 0 && *said == 0, "%s", said);
    ck_assert_int_eq(
        process_run(NULL, NULL, NULL, WORDS(in_folder("a/trainer"), "--help")), 0);
    free(said);
    free(root);
}
END_TEST

/* ---- From training to the file ---- */

#define TRAIN(folder, ...)                                                               \
    LATHE_OK("train", net_config("picture"), "--data", "random:150", "-o",               \
             in_folder(folder), __VA_ARGS__)

/* The accuracy line of the last command's output. */
static char *accuracy(void)
{
    const char *at = strstr(out, "accuracy ");
    ck_assert_msg(at != NULL, "%s", out);
    return rt_format("%.*s", (int)strcspn(at, "\n"), at);
}

START_TEST(training_to_file)
{
    char *sample = rt_format("%s/tests/sample", lathe_root());
    char *cat = rt_format("%s/images/cat_0.png", sample);
    const char *best = in_folder("run/best.ckpt"), *file = in_folder("infer.c");
    LATHE_OK("train", net_config("picture"), "--data", sample, "-o", in_folder("run"),
             "--epochs", "1");
    LATHE_OK("eval", net_config("picture"), "--weights", best, "--data", sample);
    char *first = accuracy();
    LATHE_OK("classify", net_config("picture"), "--weights", best, cat);
    int class_number = -1;
    ck_assert_int_eq(strncmp(out, cat, strlen(cat)), 0);
    ck_assert_int_eq(sscanf(out + strlen(cat), ": class %d", &class_number), 1);
    LATHE_OK("emit", net_config("picture"), "--weights", best, "-o", file);
    compile_quietly(
        WORDS("gcc", "-O1", "-DLATHE_MAIN", "-o", in_folder("infer"), file, "-lm"));
    char *pipe =
        rt_format("%s data raw %s | %s", lathe_program(), cat, in_folder("infer"));
    ck_assert_int_eq(
        process_run(NULL, in_folder("class"), in_folder("err"), WORDS("sh", "-c", pipe)),
        0);
    char *said = rt_read_file(in_folder("class"), NULL);
    char *want = rt_format("%d class %d\n", class_number, class_number);
    ck_assert_str_eq(said, want);
    LATHE_OK("verify", net_config("picture"), "--weights", best, "--data", sample,
             "--images", "40");
    ck_assert_ptr_nonnull(strstr(out, "agree: 40 images"));

    /* Out to NumPy and back: the same scores. */
    LATHE_OK("export", best, "-o", in_folder("w.npz"));
    LATHE_OK("import", in_folder("w.npz"), net_config("picture"), "-o",
             in_folder("w.ckpt"));
    LATHE_OK("export", best, "-o", in_folder("w.safetensors"));
    LATHE_OK("import", in_folder("w.safetensors"), net_config("picture"), "-o",
             in_folder("s.ckpt"));
    check_same_bytes(in_folder("w.ckpt"), in_folder("s.ckpt"));
    LATHE_OK("import", in_folder("w.safetensors"), net_config("picture"), "--explain");
    ck_assert_ptr_nonnull(strstr(out, "goes to"));
    ck_assert_ptr_null(strstr(out, "(missing)"));
    LATHE_OK("eval", net_config("picture"), "--weights", best, "--data", sample,
             "--scores", in_folder("a.npy"));
    LATHE_OK("eval", net_config("picture"), "--weights", in_folder("w.ckpt"), "--data",
             sample, "--scores", in_folder("b.npy"));
    char *second = accuracy();
    ck_assert_str_eq(first, second);
    check_same_bytes(in_folder("a.npy"), in_folder("b.npy"));
    free(first);
    free(second);
    free(said);
    free(want);
    free(pipe);
    free(cat);
    free(sample);
}
END_TEST

/* The checkpoint does not depend on threads, nor on how convolutions are run but for
 * rounding. */
START_TEST(threads_and_runs_agree)
{
    TRAIN("one", "--threads", "1");
    TRAIN("two", "--threads", "2");
    TRAIN("seven", "--threads", "7");
    check_same_run("one", "two");
    check_same_run("one", "seven");
    TRAIN("other", "--seed", "5");
    char *a = timeless_log("one"), *b = timeless_log("other");
    ck_assert_str_ne(a, b);
    free(a);
    free(b);
}
END_TEST

/* Six steps an epoch: stopped within the first, between, and within the second. */
START_TEST(resuming_changes_nothing)
{
    static const char *const steps[] = {"2", "6", "9"};
    TRAIN("whole", "--epochs", "2");
    TRAIN("parts", "--epochs", "2", "--steps", steps[_i]);
    TRAIN("parts", "--epochs", "2", "--resume");
    check_same_run("whole", "parts");
}
END_TEST

/* The run's own seed goes on, whatever the config says; a flag that says otherwise is
 * wrong. */
START_TEST(resuming_keeps_the_seed)
{
    TRAIN("whole", "--epochs", "2");
    TRAIN("parts", "--epochs", "2", "--steps", "3");
    ck_assert_int_eq(LATHE("train", net_config("picture"), "--data", "random:150", "-o",
                           in_folder("parts"), "--resume", "--seed", "5"),
                     1);
    char *want = rt_format("picture: %s: the run has seed 4, --seed says 5\n",
                           in_folder("parts/last.ckpt"));
    ck_assert_str_eq(err, want);
    TRAIN("parts", "--epochs", "2", "--resume", "--set", "train.seed=5");
    check_same_run("whole", "parts");
    free(want);
}
END_TEST

START_TEST(interrupted_training_leaves_a_checkpoint)
{
    const char *last = in_folder("run/last.ckpt");
    TRAIN("run", "--steps",
          "1"); /* builds the trainer, so that what follows starts at once */
    ck_assert_int_eq(unlink(last), 0);
    const char *const *words =
        lathe_command(WORDS("train", net_config("picture"), "--data", "random:150", "-o",
                            in_folder("run"), "--epochs", "90000"));
    pid_t child = process_start(NULL, in_folder("out"), in_folder("err"), words);
    for (int i = 0; i < 500 && access(last, F_OK) != 0; i++)
        nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
    ck_assert_int_eq(kill(child, SIGINT), 0);
    int status = process_wait(child);
    ck_assert_int_eq(status, 128 + SIGINT); /* its own exit status */
    Checkpoint checkpoint;
    ck_assert_msg(checkpoint_read(last, &checkpoint), "%s", rt_error());
    ck_assert_ptr_nonnull(checkpoint_find(&checkpoint, "", "a.weight"));
    ck_assert_ptr_nonnull(checkpoint_find(&checkpoint, "momentum/", "a.weight"));
    checkpoint_free(&checkpoint);
    TRAIN("run", "--epochs", "90000", "--resume", "--steps", "1");
}
END_TEST

START_TEST(wrong_checkpoints_are_refused)
{
    static const struct {
        const char *set, *mode, *message;
    } cases[] = {
        {"train.lr=1", "train", "train.lr: the checkpoint has 0.05, the config says 1\n"},
        {"train.batch=30", "train",
         "train.batch: the checkpoint has 20, the config says 30\n"},
        {"net.width=4", "train",
         "a: the checkpoint has CONV 5x5 stride 4 pad 2,2,2,2 to 8x8x8 from image, the "
         "config "
         "says CONV 5x5 stride 4 pad 2,2,2,2 to 8x8x4 from image\n"},
        {"net.width=4", "eval",
         "a: the checkpoint has CONV 5x5 stride 4 pad 2,2,2,2 to 8x8x8 from image, the "
         "config "
         "says CONV 5x5 stride 4 pad 2,2,2,2 to 8x8x4 from image\n"},
    };
    const char *last = in_folder("run/last.ckpt");
    TRAIN("run", "--steps", "1");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        bool trains = strcmp(cases[i].mode, "train") == 0;
        int status =
            trains ? LATHE("train", net_config("picture"), "--data", "random:150", "-o",
                           in_folder("run"), "--resume", "--set", cases[i].set)
                   : LATHE("eval", net_config("picture"), "--data", "random:150", "--set",
                           cases[i].set, "--weights", last);
        char *want =
            rt_format("%s: %s: %s", trains ? "lathe" : "picture", last, cases[i].message);
        ck_assert_str_eq(err, want);
        ck_assert_int_eq(status, 1);
        free(want);
    }
}
END_TEST

/* Weights give wrong answers under another normalisation than theirs. */
START_TEST(pixels_must_mean_what_they_did)
{
    const char *last = in_folder("run/last.ckpt"), *file = in_folder("f.c");
    TRAIN("run", "--steps", "1");
    const char *const mean = "data.mean={120,128,128}", *const std = "data.std=64";
    char *want =
        rt_format("%s: made with data.mean {127,127,127}, the config says {120,128,128}; "
                  "change it, or give --set 'data.mean={127,127,127}' with every "
                  "command\n",
                  last);
    ck_assert_int_eq(LATHE("eval", net_config("picture"), "--data", "random:150",
                           "--weights", last, "--set", mean),
                     1);
    ck_assert_pstr_eq(strstr(err, last), want);
    ck_assert_int_eq(LATHE("train", net_config("picture"), "--data", "random:150",
                           "--weights", last, "--set", mean, "-o", in_folder("other")),
                     1);
    ck_assert_pstr_eq(strstr(err, last), want);
    ck_assert_int_eq(LATHE("emit", net_config("picture"), "--weights", last, "-o", file,
                           "--set", mean),
                     1);
    ck_assert_pstr_eq(strstr(err, last), want);
    free(want);
    ck_assert_int_eq(LATHE("emit", net_config("picture"), "--weights", last, "-o", file,
                           "--set", "data.mean=127.00000000000001"),
                     0);
    ck_assert_int_eq(LATHE("verify", net_config("picture"), "--weights", last, "--data",
                           "random:9", "--set", std),
                     1);
    ck_assert_ptr_nonnull(strstr(err, "made with data.std {128,128,128}, the config says "
                                      "{64,64,64}"));
    ck_assert_int_eq(LATHE("ptq", net_config("picture"), "--weights", last, "--data",
                           "random:9", "-o", in_folder("q.ckpt"), "--images", "4",
                           "--set", std, "--set", "quant.quantizer=\"uniform_static\""),
                     1);
    ck_assert_ptr_nonnull(strstr(err, "made with data.std {128,128,128}, the config says "
                                      "{64,64,64}"));
}
END_TEST

Suite *command_suite(void)
{
    Suite *suite = suite_create("command");
    TCase *said = tcase_create("said");
    tcase_add_checked_fixture(said, folder_make, lathe_clean_up);
    tcase_set_timeout(said, 60);
    tcase_add_loop_test(said, every_verb_explains_itself, 0, VERBS);
    tcase_add_test(said, no_words);
    tcase_add_loop_test(said, mistakes_are_explained, 0, MISTAKES);
    suite_add_tcase(suite, said);
    TCase *done = tcase_create("done");
    tcase_add_checked_fixture(done, folder_make, lathe_clean_up);
    tcase_set_timeout(done, 120);
    tcase_add_test(done, gen_leaves_what_is_there);
    tcase_add_test(done, generated_folders_build);
    tcase_add_test(done, training_to_file);
    tcase_add_test(done, threads_and_runs_agree);
    tcase_add_loop_test(done, resuming_changes_nothing, 0, 3);
    tcase_add_test(done, resuming_keeps_the_seed);
    tcase_add_test(done, interrupted_training_leaves_a_checkpoint);
    tcase_add_test(done, wrong_checkpoints_are_refused);
    tcase_add_test(done, pixels_must_mean_what_they_did);
    suite_add_tcase(suite, done);
    return suite;
}
