/* Event files, read back by decoders that are not ours: what they say is what log.csv
 * says, and a resumed run leaves the file of one that was not stopped. */
#include "tests/suites.h"

#include "runtime/base/support.h"
#include "runtime/kernels/quant.h"
#include "runtime/train/events.h"
#include "tests/tools/folder.h"
#include "tests/tools/process.h"
#include "tests/tools/trainer_run.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static bool decoders_installed(void)
{
    const char *const words[] = {"perl", "-MDigest::CRC", "-e", "1", NULL};
    bool installed =
        program_installed("protoc") && process_run(NULL, NULL, NULL, words) == 0;
    if (!installed)
        puts("skipped: protoc or perl's Digest::CRC is not installed");
    return installed;
}

/* A line for each scalar, "step wall tag value"; free() it. */
static char *decoded(const char *path)
{
    const char *const words[] = {"tests/tools/events.pl", path, NULL};
    int status = process_run(NULL, in_folder("said"), in_folder("complained"), words);
    char *complaint = rt_read_file(in_folder("complained"), NULL);
    ck_assert_msg(status == 0 && *complaint == 0, "status %d: %s", status, complaint);
    free(complaint);
    return rt_read_file(in_folder("said"), NULL);
}

/* The value of a tag at a step. */
static double value_of(const char *text, int step, const char *tag, double *wall)
{
    char found[96];
    for (const char *line = text; *line; line = strchr(line, '\n') + 1) {
        int at;
        double value;
        if (sscanf(line, "%d %lf %95s %lf", &at, wall, found, &value) == 4 &&
            at == step && strcmp(found, tag) == 0)
            return value;
    }
    ck_abort_msg("no %s at %d in %s", tag, step, text);
}

static int count_lines(const char *text)
{
    int count = 0;
    for (; *text; text++)
        count += *text == '\n';
    return count;
}

static void check_value(const char *text, const EpochRow *row, const char *tag,
                        double wanted, double seconds)
{
    double wall, value = value_of(text, row->epoch, tag, &wall);
    ck_assert_msg(fabs(value - wanted) <= 1e-5 * fabs(wanted), "%s: %g, want %g", tag,
                  value, wanted);
    ck_assert_double_eq_tol(wall, seconds, 0.011);
}

START_TEST(events_say_what_the_log_says)
{
    if (!decoders_installed())
        return;
    ck_assert_int_eq(RUN(DATA, "-o", in_folder("a")), 0);
    char *text = decoded(in_folder("a/" EVENTS_NAME));
    char *log = rt_read_file(in_folder("a/log.csv"), NULL), *line = strchr(log, '\n');
    double seconds = 0;
    for (int epoch = 1; epoch <= EPOCHS; epoch++) {
        EpochRow row;
        line++;
        char *end = strchr(line, '\n');
        *end = 0;
        ck_assert_msg(history_parse(line, &row), "%s", line);
        line = end;
        seconds += row.seconds;
        check_value(text, &row, "loss/training", row.train_loss, seconds);
        check_value(text, &row, "loss/held_out", row.held_out_loss, seconds);
        check_value(text, &row, "accuracy/training", row.train_accuracy, seconds);
        check_value(text, &row, "accuracy/held_out", row.held_out_accuracy, seconds);
        check_value(text, &row, "learning_rate", row.lr, seconds);
        check_value(text, &row, "images_per_second", row.images_per_s, seconds);
    }
    ck_assert_int_eq(count_lines(text), 6 * EPOCHS);
    free(text);
    free(log);
}
END_TEST

/* Without wall times and speed. */
static char *timeless(const char *path)
{
    char *text = decoded(path), *to = text;
    for (char *line = text, *next; *line; line = next) {
        char tag[96];
        int step, after;
        next = strchr(line, '\n') + 1;
        ck_assert_int_eq(sscanf(line, "%d %*f %n%95s", &step, &after, tag), 2);
        if (strcmp(tag, "images_per_second") == 0)
            continue;
        to += sprintf(to, "%d ", step);
        size_t rest = (size_t)(next - line) - (size_t)after;
        memmove(to, line + after, rest);
        to += rest;
    }
    *to = 0;
    return text;
}

/* Killed while it appended a record, or with a record too many. */
START_TEST(a_resumed_run_repeats_nothing)
{
    if (!decoders_installed())
        return;
    static const char torn[] = "\x20\0\0\0\0\0\0\0torn";
    ck_assert_int_eq(RUN(DATA, "-o", in_folder("a")), 0);
    ck_assert_int_eq(RUN(DATA, "-o", in_folder("b"), "--steps", "13"), 0);
    FILE *file = fopen(in_folder("b/" EVENTS_NAME), "ab");
    fwrite(torn, 1, sizeof torn, file);
    fclose(file);
    ck_assert_int_eq(RUN(DATA, "-o", in_folder("b"), "--resume"), 0);
    char *left = timeless(in_folder("a/" EVENTS_NAME));
    char *right = timeless(in_folder("b/" EVENTS_NAME));
    ck_assert_str_eq(left, right);
    free(left);
    free(right);
}
END_TEST

START_TEST(bits_and_sizes_are_scalars)
{
    if (!decoders_installed())
        return;
    const RtSized sized[] = {{.name = "conv"}, {.name = "conv_relu"}};
    const Model quantised = {.name = "net", .sized = sized, .sized_count = 2};
    History history = {0};
    for (int epoch = 1; epoch <= 300; epoch++) {
        EpochRow row = {.epoch = epoch,
                        .seconds = 1.5,
                        .held_out_loss = NAN,
                        .held_out_accuracy = NAN,
                        .test_loss = 0.5,
                        .test_accuracy = NAN,
                        .cc_from = NAN,
                        .weights_kib = 12.5,
                        .activations_kib = 3,
                        .largest_kib = 2,
                        .bits = rt_format("%d 8", 2 + epoch % 7)};
        history_add(&history, &row);
        ck_assert(epoch == 1 ? events_write(in_folder("a"), &quantised, &history)
                             : events_append(in_folder("a"), &quantised, &history));
    }
    ck_assert(events_write(in_folder("b"), &quantised, &history));
    check_same_bytes(in_folder("a"), in_folder("b"));
    history.count = 2; /* the decoder is a process for each record */
    ck_assert(events_write(in_folder("b"), &quantised, &history));
    char *text = decoded(in_folder("b"));
    double wall;
    ck_assert_double_eq(value_of(text, 2, "bits/conv", &wall), 4);
    ck_assert_double_eq(wall, 3);
    ck_assert_double_eq(value_of(text, 1, "bits/conv_relu", &wall), 8);
    ck_assert_double_eq(value_of(text, 2, "size/weights_kib", &wall), 12.5);
    ck_assert_double_eq(value_of(text, 2, "loss/test", &wall), 0.5);
    ck_assert_double_eq(value_of(text, 2, "size/activations_kib", &wall), 3);
    ck_assert_double_eq(value_of(text, 2, "size/largest_activation_kib", &wall), 2);
    ck_assert_int_eq(count_lines(text), 2 * 10);
    free(text);
    history.count = 300;
    history_free(&history);
}
END_TEST

START_TEST(what_cannot_be_written_is_said)
{
    const Model plain = {.name = "net"};
    ck_assert(!events_write(in_folder("none/a"), &plain, &(History){0}));
    check_error("%s: No such file or directory", in_folder("none/a"));
}
END_TEST

Suite *events_suite(void)
{
    Suite *suite = suite_create("events");
    TCase *tests = tcase_create("events");
    tcase_add_checked_fixture(tests, trainer_prepare, trainer_clean_up);
    tcase_set_timeout(tests, 30);
    tcase_add_test(tests, events_say_what_the_log_says);
    tcase_add_test(tests, a_resumed_run_repeats_nothing);
    tcase_add_test(tests, bits_and_sizes_are_scalars);
    tcase_add_test(tests, what_cannot_be_written_is_said);
    suite_add_tcase(suite, tests);
    return suite;
}
