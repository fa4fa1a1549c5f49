/* Profiles: their numbers from counters made up and real, the tables' text, and that a
 * trainer which keeps times trains as one that does not. */
#include "tests/suites.h"

#include "gen/emit/profiled.h"
#include "gen/emit/trainer_files.h"
#include "runtime/base/support.h"
#include "runtime/train/mpi_model.h"
#include "runtime/train/peak.h"
#include "runtime/train/profile_json.h"
#include "runtime/train/profile_report.h"
#include "tests/tools/built_net.h"
#include "tests/tools/folder.h"
#include "tests/tools/lathe_run.h"
#include "tests/tools/process.h"
#include "tests/tools/trainer_run.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- Numbers ---- */

static const RtProfileOp made_ops[] = {
    {"a", "forward", "conv_1", PROFILE_IMAGE, false, false, 1000000, 0},
    {"b", "forward", "q_conv_1", PROFILE_IMAGE, false, true, 2000000, 0},
    {"b", "normalise", "bn_finish", PROFILE_BATCH, false, false, 0, 5000},
    {"c", "forward", "conv_1", PROFILE_IMAGE, false, false, 1000000, 0},
    {"b", "backward", "point_bwd", PROFILE_IMAGE, true, false, 0, 40000},
};
enum { MADE = sizeof made_ops / sizeof *made_ops };

/* Seconds summed over two threads, of 2 steps in 4 calls with 1,000 images together. */
static const ProfileTime made_times[MADE] = {
    {0.2, 1000}, {0.1, 1000}, {0.05, 4}, {0.6, 1000}, {0.4, 1000}};

static Profile made(void)
{
    return (Profile){.title = "training",
                     .pass = "step",
                     .ops = made_ops,
                     .times = made_times,
                     .count = MADE,
                     .threads = 2,
                     .passes = 2,
                     .calls = 4,
                     .images = 1000,
                     .network = 0.8,
                     .outside = {{"augmentation", 0.15}, {"optimiser", 0.05}},
                     .outside_count = 2,
                     .peak = {40e9, 160e9}};
}

START_TEST(rates_are_two_operations_for_each_product)
{
    const Profile profile = made();
    /* 2 x 1e6 x 1000 operations in 0.1 s of the clock. */
    ck_assert_double_eq_tol(profile_rate(&profile, 0), 20e9, 1);
    ck_assert_double_eq_tol(profile_rate(&profile, 1), 80e9, 1);
    ck_assert_double_eq_tol(profile_wall(&profile, 2), 0.05, 1e-12); /* the others wait */
    ck_assert_double_eq_tol(profile_rate(&profile, 2), 5000 * 4 / 0.05, 1e-3);
    ck_assert_double_eq_tol(profile_rate(&profile, 4), 40000 * 1000.0 / 0.2, 1e-3);
    ck_assert_double_eq_tol(profile_speed(&profile), 1000, 1e-9);
    /* 4e9 float operations at 40e9/s, 4e9 integer ones at 160e9/s, in one second */
    ck_assert_double_eq_tol(profile_peak_share(&profile), 0.1 + 0.025, 1e-9);
}
END_TEST

static const char made_text[] =
    "\n"
    "training: 1000 images/s on 2 threads, 500 ms per step, 12% of peak\n"
    "1000 images, 2 steps; times by the clock: that of the threads / 2, or of the one "
    "that "
    "works alone\n"
    "\n"
    "layer pass        ms/step  share     calls    rate          peak\n"
    "a     forward      50.000  10.0%      1000    20.0 GFLOP/s   50%\n"
    "b     forward      25.000   5.0%      1000    80.0 GOP/s     50%\n"
    "b     normalise    25.000   5.0%         4     0.0 GB/s        -\n"
    "b     backward    100.000  20.0%      1000     0.2 GB/s        -\n"
    "c     forward     150.000  30.0%      1000     6.7 GFLOP/s   17%\n"
    "\n"
    "  ms/step  share     calls    rate          peak  kernel\n"
    "  200.000  40.0%      2000    10.0 GFLOP/s   25%  conv_1\n"
    "  100.000  20.0%      1000     0.2 GB/s        -  point_bwd\n"
    "   25.000   5.0%      1000    80.0 GOP/s     50%  q_conv_1\n"
    "   25.000   5.0%         4     0.0 GB/s        -  bn_finish\n"
    "\n"
    "pass      of                    ms/step  share     calls    rate          peak\n"
    "forward   conv, dense           200.000  40.0%      2000    10.0 GFLOP/s   25%\n"
    "backward  others                100.000  20.0%      1000     0.2 GB/s        -\n"
    "forward   integer conv, dense    25.000   5.0%      1000    80.0 GOP/s     50%\n"
    "normalise others                 25.000   5.0%         4     0.0 GB/s        -\n"
    "\n"
    "forward and loss                           250.000  50.0%\n"
    "backward                                   100.000  20.0%\n"
    "threads waiting, between ops                50.000  10.0%\n"
    "augmentation                                75.000  15.0%\n"
    "optimiser                                   25.000   5.0%\n"
    "all                                        500.000 100.0%\n";

START_TEST(tables)
{
    const Profile profile = made();
    char *text;
    size_t bytes;
    FILE *file = open_memstream(&text, &bytes);
    profile_print(file, &profile);
    fclose(file);
    ck_assert_str_eq(text, made_text);
    free(text);
}
END_TEST

START_TEST(nothing_is_divided_by_zero)
{
    static const ProfileTime none[MADE];
    Profile profile = {.title = "t",
                       .pass = "step",
                       .ops = made_ops,
                       .times = none,
                       .count = MADE,
                       .threads = 1};
    char *text;
    size_t bytes;
    FILE *file = open_memstream(&text, &bytes);
    profile_print(file, &profile);
    fclose(file);
    ck_assert_ptr_null(strstr(text, "nan"));
    ck_assert_ptr_null(strstr(text, "inf"));
    free(text);
}
END_TEST

/* ---- Counters ---- */

static const RtProfile counted_ops = {made_ops, 3, MADE};
enum { LAPS = 20000 };

static void lap(void *context, int index, int worker)
{
    (void)context;
    rt_profile_lap(worker, index % 2, rt_profile_now());
}

START_TEST(counters_add_up_over_workers)
{
    const Model model = {.profile = &counted_ops};
    ProfileTime times[MADE];
    Profile profile;
    rt_set_threads(3);
    profile_begin(&model);
    double start = seconds_now();
    uint64_t since = rt_profile_now();
    rt_parallel_for(LAPS, lap, NULL);
    profile_part(PART_TRAIN, 7, since);
    double wall = seconds_now() - start;
    rt_profile_lap(0, 4, rt_profile_now());
    ck_assert(profile_of(&model, PROFILE_TRAINING, &profile, times));
    ck_assert_int_eq(profile.count, 3);
    ck_assert_int_eq(times[0].calls, LAPS / 2);
    ck_assert_int_eq(times[1].calls, LAPS / 2);
    ck_assert_int_eq(times[2].calls, 0);
    ck_assert_double_gt(times[0].seconds, 0);
    ck_assert_double_le(times[0].seconds + times[1].seconds, 3 * wall * 1.01);
    ck_assert_double_eq_tol(profile.network, wall, 0.02 * wall + 1e-4);
    ck_assert_int_eq(profile.images, 7);
    ck_assert(!profile_of(&model, PROFILE_EVALUATION, &profile, times));
    profile_begin(&model);
    ck_assert(!profile_of(&model, PROFILE_TRAINING, &profile, times));
    profile_end();
    rt_set_threads(0);
}
END_TEST

START_TEST(a_machine_multiplies)
{
    const Peak one = peak_measure(1);
    ck_assert_double_gt(one.floats, 1e8);
    ck_assert_double_gt(one.integers, 1e7);
    ck_assert_double_lt(one.floats, 1e13);
    ck_assert_double_lt(one.integers, 1e14);
}
END_TEST

/* ---- Generated text ---- */

static char *generated(const char *file, bool profile)
{
    const CompileOptions options = {.target = target_find("plain"), .profile = profile};
    char *path = net_path("picture");
    Config config;
    ck_assert_msg(config_load(path, NULL, 0, &config), "%s", rt_error());
    TrainerFiles files;
    ck_assert_msg(
        trainer_files_generate(&config, &options, "lathe test", in_folder("gen"), &files),
        "%s", rt_error());
    trainer_files_free(&files);
    char *source = rt_format("%s/%s", in_folder("gen"), file);
    char *text = rt_read_file(source, NULL);
    ck_assert_ptr_nonnull(text);
    free(source);
    config_free(&config);
    free(path);
    return text;
}

START_TEST(text_without_profile_has_no_trace_of_it)
{
    static const char *const files[] = {"network.c", "train.c", "Makefile", "report.txt"};
    static const char *const traces[] = {"rt_profile", "RtProfile", "profile.h",
                                         "--profile", ".profile"};
    for (int i = 0; i < 4; i++) {
        char *text = generated(files[i], false);
        for (int t = 0; t < 5; t++)
            ck_assert_ptr_null(strstr(text, traces[t]));
        free(text);
    }
    for (int i = 0; i < 2; i++) {
        char *text = generated(files[i], true);
        ck_assert_ptr_nonnull(strstr(text, "#include \"runtime/kernels/profile.h\"\n"));
        free(text);
    }
}
END_TEST

/* Take away what a profiled build adds, and the plain one is left. */
START_TEST(a_profiled_network_only_adds_laps)
{
    char *plain = generated("network.c", false), *profiled = generated("network.c", true);
    char *to = profiled;
    for (char *line = profiled, *next; *line; line = next) {
        next = line + strcspn(line, "\n");
        next += *next == '\n';
        bool added = memmem(line, (size_t)(next - line), "rt_profile_", 11) ||
                     strncmp(line, "#include \"runtime/kernels/profile.h\"", 36) == 0 ||
                     strncmp(line, "    {\n", 6) == 0 || strncmp(line, "    }\n", 6) == 0;
        if (!added)
            to = (char *)memmove(to, line, (size_t)(next - line)) + (next - line);
    }
    *to = 0;
    char *from = to = plain;
    for (char *next; *from; from = next) {
        next = from + strcspn(from, "\n") + 1;
        if (strncmp(from, "    {\n", 6) != 0 && strncmp(from, "    }\n", 6) != 0)
            to = (char *)memmove(to, from, (size_t)(next - from)) + (next - from);
    }
    *to = 0;
    ck_assert_str_eq(profiled, plain);
    free(plain);
    free(profiled);
}
END_TEST

/* ---- The command ---- */

/* The row of a layer and pass in a table: its time and calls. */
static void find_row(const char *layer, const char *pass, double *time, long *calls)
{
    char row_layer[64], row_pass[64];
    for (const char *line = strstr(out, "\nlayer "); line;
         line = strchr(line + 1, '\n')) {
        if (sscanf(line, " %63s %63s %lf %*f%% %ld", row_layer, row_pass, time, calls) ==
                4 &&
            strcmp(row_layer, layer) == 0 && strcmp(row_pass, pass) == 0)
            return;
    }
    ck_abort_msg("no row %s %s in %s", layer, pass, out);
}

/* The time of a line of the last table. */
static double find_line(const char *label)
{
    char *start = rt_format("\n%-40s ", label), *at = strstr(out, start);
    ck_assert_msg(at != NULL, "no %s in %s", label, out);
    double value = atof(at + strlen(start));
    free(start);
    return value;
}

/* Tables of a training run of `steps` steps of `images` images. */
static void check_tables(const Net *net, long steps, long images)
{
    double sum = 0;
    for (int i = 0; i < net->op_count; i++) {
        const Op *op = &net->ops[i];
        double time;
        long calls;
        find_row(op->name, op_info[op->kind].suffix, &time, &calls);
        sum += time;
        if (op->scope == SCOPE_CHUNK)
            ck_assert_int_eq(calls, steps * net->chunks);
        if (op->scope == SCOPE_IMAGE)
            ck_assert_int_eq(calls, images);
        if (op->scope == SCOPE_TASKS)
            ck_assert_int_eq(calls, steps * op->tasks);
        if (op->scope == SCOPE_BATCH)
            ck_assert_int_eq(calls, steps);
    }
    double all = find_line("all"), rounding = 5e-4 * (net->op_count + 5);
    ck_assert_double_le(sum, all + rounding);
    double rest = find_line("threads waiting, between ops") + find_line("augmentation") +
                  find_line("optimiser");
    double ways = find_line("forward and loss") + find_line("backward");
    ck_assert_double_eq_tol(sum + rest, all, rounding);
    ck_assert_double_eq_tol(ways, sum, rounding);
}

START_TEST(profiled_training_is_the_same)
{
    char *path = net_path("picture");
    const CompileOptions options = {.target = target_find(NULL)};
    const char *sets[] = {"train.bn='chunk'", "train.chunks=8"};
    Config config;
    Net net;
    LATHE_OK("train", path, "--data", "random:150", "-o", in_folder("a"), "--epochs", "1",
             "--threads", "2", "--set", sets[0], "--set", sets[1]);
    ck_assert_ptr_null(strstr(out, "peak"));
    LATHE_OK("train", path, "--data", "random:150", "-o", in_folder("b"), "--epochs", "1",
             "--threads", "2", "--set", sets[0], "--set", sets[1], "--profile");
    check_same_run("a", "b");
    ck_assert(config_load(path, sets, 2, &config));
    compile_train(&config, &options, &net);
    ck_assert_ptr_nonnull(strstr(out, "\ntraining: "));
    ck_assert_ptr_nonnull(
        strstr(out, "\nevaluation: ")); /* of held-out and test images */
    check_tables(&net, 6, 120);         /* 30 of 150 are held out */
    net_free(&net);
    config_free(&config);
    free(path);
}
END_TEST

START_TEST(bench_times_everything)
{
    static const char *const nets[] = {"picture", "quant_family"};
    char *path = net_path(nets[_i]);
    LATHE_OK("bench", path, "--steps", "2", "--batch", "8", "--threads", "2");
    char *lines = rt_format("\n%s\ntraining: ", nets[_i]), *at = strstr(out, lines);
    ck_assert_msg(at != NULL, "%s", out);
    ck_assert_int_eq(strncmp(out, "peak: ", 6), 0);
    double speed[3] = {0}, time[3] = {0}, share[3] = {0};
    int read =
        sscanf(at + 1,
               "%*s training: %lf images/s on 2 threads, %lf ms per step, "
               "%lf%% of peak evaluation: %lf images/s on 2 threads, %lf ms per call, "
               "%lf%% of peak inference: %lf images/s on 1 thread, %lf ms per image, "
               "%lf%% of peak",
               &speed[0], &time[0], &share[0], &speed[1], &time[1], &share[1], &speed[2],
               &time[2], &share[2]);
    ck_assert_msg(read == 9, "%d of %s", read, at);
    ck_assert_double_eq_tol(speed[0] * time[0], 8000, 8000 * 0.02);
    for (int i = 0; i < 3; i++)
        ck_assert(speed[i] > 0 && time[i] > 0 && share[i] >= 0);
    ck_assert(share[0] <= 110 && share[1] <= 110);
    free(lines);
    free(path);
}
END_TEST

/* Parts, and JSON that a decoder takes. */
START_TEST(bench_of_one_part_and_as_json)
{
    static const char program[] =
        "local $/; my $j = decode_json(<>); print \"$j->{name}:\", map {"
        " my $p = $_; die if grep { !($_->{ms} >= 0 && $_->{kernel}) } @{$p->{ops}};"
        " die unless $p->{images_per_s} > 0 && $p->{ms} > 0;"
        " \" $p->{what} $p->{threads} \" . @{$p->{ops}} } @{$j->{profiles}}";
    static const char *const parts[][2] = {{"train", "picture: training 2 30"},
                                           {"evaluate", "picture: evaluation 2 9"},
                                           {"infer", "picture: inference 1 5"}};
    char *path = net_path("picture");
    for (int i = 0; i < 3; i++) {
        LATHE_OK("bench", path, "--only", parts[i][0], "--json", "--threads", "2",
                 "--steps", "2");
        write_text(in_folder("json"), out);
        const char *const words[] = {"perl",  "-MJSON::PP",      "-e",
                                     program, in_folder("json"), NULL};
        int status = process_run(NULL, in_folder("said"), in_folder("err"), words);
        char *said = rt_read_file(in_folder("said"), NULL);
        ck_assert_msg(status == 0, "%d: %s", status, said);
        ck_assert_str_eq(said, parts[i][1]);
        free(said);
    }
    LATHE_OK("bench", path, "--only=infer");
    ck_assert_ptr_null(strstr(out, "training"));
    ck_assert_ptr_nonnull(strstr(out, "\npicture\ninference: "));
    free(path);
}
END_TEST

START_TEST(json_text_is_escaped)
{
    char *text;
    size_t bytes;
    FILE *file = open_memstream(&text, &bytes);
    json_print_text(file, "a \"b\" \\ \n\x1f\xc3\xa9");
    fclose(file);
    ck_assert_str_eq(text, "\"a \\\"b\\\" \\\\ \\u000a\\u001f\xc3\xa9\"");
    free(text);
}
END_TEST

static const struct {
    const char *words[6], *message;
} mistakes[] = {
    {{"bench"}, "lathe: want a CONFIG, a file such as configs/resnet20_fp_cifar10.lua\n"},
    {{"bench", "x.lua", "more"}, "lathe: bench: unexpected word more\n"},
    {{"bench", "x.lua", "--steps", "abc"},
     "lathe: --steps: \"abc\", want a whole number from 1 to 1048576\n"},
    {{"bench", "x.lua", "--batch", "0"},
     "lathe: --batch: \"0\", want a whole number from 1 to 1048576\n"},
    {{"bench", "x.lua", "--threads", "65"},
     "lathe: --threads: \"65\", want a whole number from 1 to 64\n"},
    {{"bench", "x.lua", "--step", "3"},
     "lathe: bench: unknown flag --step; did you mean --steps?\n"},
    {{"bench", "x.lua", "--only", "all"},
     "lathe: --only all: want train, evaluate or infer\n"},
    {{"bench", "none.lua"}, "lathe: none.lua: No such file or directory\n"},
    {{"gen", "x.lua", "--profil"},
     "lathe: gen: unknown flag --profil; did you mean --profile?\n"},
};
enum { MISTAKES = sizeof mistakes / sizeof *mistakes };

START_TEST(mistakes_are_explained)
{
    ck_assert_int_eq(lathe_run(NULL, mistakes[_i].words), 1);
    ck_assert_str_eq(err, mistakes[_i].message);
    ck_assert_str_eq(out, "");
}
END_TEST

START_TEST(a_plain_trainer_cannot_bench)
{
    check_complaint(
        RUN("bench", "-o", in_folder("a")),
        "tiny: this trainer keeps no times; want one that `lathe gen --profile` "
        "wrote");
    check_complaint(RUN("bench"), "bench: -o DIR is missing");
    ck_assert(!exists(in_folder("a")));
}
END_TEST

/* One BN layer of 3 channels, 64 floats of gradients; 1 MB/s and 1 ms. */
START_TEST(speed_on_machines_is_as_stated)
{
    const MpiNetwork slow = {"slow", 1e-3, 8e6};
    double waits = 3 * (1e-3 + 16e-6) + 2 * (1e-3 + 48e-6);
    double last = 1.5 * 256e-6, levels = 2;
    double pass = levels * waits + last + 2 * levels * 1e-3;
    ck_assert_double_eq_tol(mpi_model_step(&tiny_model, &slow, 4, 100, 4),
                            4 / 400.0 + pass, 1e-12);
    ck_assert_double_eq_tol(mpi_model_step(&tiny_model, &slow, 9, 100, 4),
                            9 / 400.0 + 3 * pass, 1e-12);
}
END_TEST

Suite *profile_suite(void)
{
    Suite *suite = suite_create("profile");
    TCase *numbers = tcase_create("numbers");
    tcase_add_test(numbers, rates_are_two_operations_for_each_product);
    tcase_add_test(numbers, tables);
    tcase_add_test(numbers, nothing_is_divided_by_zero);
    tcase_add_test(numbers, counters_add_up_over_workers);
    tcase_add_test(numbers, a_machine_multiplies);
    tcase_add_test(numbers, json_text_is_escaped);
    tcase_add_test(numbers, speed_on_machines_is_as_stated);
    suite_add_tcase(suite, numbers);
    TCase *text = tcase_create("text");
    tcase_add_checked_fixture(text, folder_make, folder_remove);
    tcase_add_test(text, text_without_profile_has_no_trace_of_it);
    tcase_add_test(text, a_profiled_network_only_adds_laps);
    suite_add_tcase(suite, text);
    TCase *command = tcase_create("command");
    tcase_add_checked_fixture(command, folder_make, lathe_clean_up);
    tcase_set_timeout(command, 120);
    tcase_add_test(command, profiled_training_is_the_same);
    tcase_add_loop_test(command, bench_times_everything, 0, 2);
    tcase_add_test(command, bench_of_one_part_and_as_json);
    tcase_add_loop_test(command, mistakes_are_explained, 0, MISTAKES);
    suite_add_tcase(suite, command);
    TCase *trainer = tcase_create("trainer");
    tcase_add_checked_fixture(trainer, trainer_prepare, trainer_clean_up);
    tcase_add_test(trainer, a_plain_trainer_cannot_bench);
    suite_add_tcase(suite, trainer);
    return suite;
}
