/* The cache of what compilers made: entries that are damaged in any way are made anew,
 * and makers that were killed leave nothing behind for long. */
#include "tests/suites.h"

#include "gen/base/paths.h"
#include "gen/base/scratch.h"
#include "gen/run/build.h"
#include "gen/run/cache.h"
#include "runtime/base/support.h"
#include "tests/tools/folder.h"
#include "tests/tools/lathe_run.h"
#include "tests/tools/process.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- Entries ---- */

/* A hash that no build has. */
static const char *own_hash(void)
{
    static char hash[65];
    snprintf(hash, sizeof hash, "test%028ld", (long)getpid());
    return hash;
}

static char *keep(const char *text)
{
    PrivateFolder work;
    ck_assert_msg(cache_begin(&work), "%s", rt_error());
    char *made = rt_format("%s/thing", work.path);
    write_text(made, text);
    char *path = cache_keep(&work, own_hash(), "thing");
    ck_assert_msg(path != NULL, "%s", rt_error());
    private_end(&work);
    ck_assert(access(made, F_OK) != 0);
    free(made);
    return path;
}

static void check_found(const char *text)
{
    char *path = cache_find(own_hash(), "thing");
    ck_assert_ptr_nonnull(path);
    char *found = rt_read_file(path, NULL);
    ck_assert_str_eq(found, text);
    free(found);
    free(path);
}

static void erase(const char *path)
{
    ck_assert_int_eq(unlink(path), 0);
}

static void shorten(const char *path)
{
    struct stat status;
    ck_assert_int_eq(stat(path, &status), 0);
    ck_assert_int_eq(truncate(path, status.st_size / 2), 0);
}

static void empty(const char *path)
{
    ck_assert_int_eq(truncate(path, 0), 0);
}

/* As many bytes as before, of no meaning. */
static void scramble(const char *path)
{
    struct stat status;
    ck_assert_int_eq(stat(path, &status), 0);
    char *bytes = rt_alloc((size_t)status.st_size);
    for (long i = 0; i < status.st_size; i++)
        bytes[i] = (char)(i * 2654435761u >> 7);
    write_bytes(path, bytes, (size_t)status.st_size);
    free(bytes);
}

static void put_folder(const char *path)
{
    ck_assert_int_eq(unlink(path), 0);
    ck_assert_int_eq(mkdir(path, 0777), 0);
}

static void (*const damages[])(const char *path) = {erase, shorten, empty, scramble,
                                                    put_folder};
enum { DAMAGES = sizeof damages / sizeof *damages };

/* The file, then its hash. */
START_TEST(damaged_entries_are_made_anew)
{
    char *path = keep("what was made");
    char *damaged = rt_format("%s%s", path, _i < DAMAGES ? "" : ".sha256");
    check_found("what was made");
    damages[_i % DAMAGES](damaged);
    char *found = cache_find(own_hash(), "thing");
    ck_assert_ptr_null(found);
    ck_assert_str_eq(rt_error(), "");
    char *again = keep("what was made");
    ck_assert_str_eq(again, path);
    check_found("what was made");
    char *entry = rt_format("%.*s", (int)(strlen(path) - strlen("/thing")), path);
    remove_folder(entry);
    ck_assert(cache_find(own_hash(), "thing") == NULL);
    free(entry);
    free(damaged);
    free(again);
    free(path);
}
END_TEST

/* What is there and whole stays: somebody may be running it. */
START_TEST(the_first_one_stays)
{
    char *path = keep("first");
    char *second = keep("second");
    ck_assert_str_eq(path, second);
    check_found("first");
    char *entry = rt_format("%.*s", (int)(strlen(path) - strlen("/thing")), path);
    remove_folder(entry);
    free(entry);
    free(path);
    free(second);
}
END_TEST

START_TEST(killed_makers_leave_nothing)
{
    int ends[2];
    char folder[4096] = "";
    ck_assert_int_eq(pipe(ends), 0);
    pid_t maker = fork();
    if (maker == 0) {
        PrivateFolder work;
        if (cache_begin(&work))
            write(ends[1], work.path, strlen(work.path));
        pause();
    }
    ck_assert_int_gt(read(ends[0], folder, sizeof folder - 1), 0);
    build_clean();
    ck_assert_int_eq(access(folder, F_OK), 0); /* its maker lives */
    kill(maker, SIGKILL);
    waitpid(maker, NULL, 0);
    build_clean();
    ck_assert_int_ne(access(folder, F_OK), 0);
}
END_TEST

/* ---- Trainers ---- */

/* A config that no other test builds. */
static const char *own_config(void)
{
    const char *path = in_folder("cached.lua");
    char *text =
        rt_format("return { net = { layers = function()\n"
                  "    local x = relu(bn{ conv{ image{ 8, 8, 3 }, name = \"a%ld\", out = "
                  "4, kernel = 3 } })\n"
                  "    return dense{ avgpool(x), name = \"b\", out = 3 }\n"
                  "end }, train = { epochs = 1, batch = 4, lr = 0.1 } }\n",
                  (long)getpid());
    write_text(path, text);
    free(text);
    return path;
}

static char *built(char *(*build)(const TrainerFiles *files))
{
    Config config;
    const CompileOptions options = {.target = target_find("plain")};
    TrainerFiles files;
    ck_assert_msg(config_load(own_config(), NULL, 0, &config), "%s", rt_error());
    ck_assert(trainer_files_make(&config, &options, "lathe test", NULL, &files));
    char *path = build(&files);
    ck_assert_msg(path != NULL, "%s", rt_error());
    trainer_files_free(&files);
    config_free(&config);
    return path;
}

static void remove_entry(char *path)
{
    *strrchr(path, '/') = 0;
    remove_folder(path);
    free(path);
}

/* Each of the three products, deleted, truncated, empty, random: the next run
 * heals it. */
START_TEST(damaged_trainers_are_built_anew)
{
    char *object = built(build_object), *library = built(build_library);
    char *trainer = built(build_trainer);
    for (int i = 0; i < DAMAGES; i++) {
        damages[i](trainer);
        damages[i](library);
        damages[i](object);
        char *again = built(build_trainer), *other = built(build_library);
        ck_assert_str_eq(again, trainer);
        ck_assert_str_eq(other, library);
        ck_assert_int_eq(process_run(NULL, NULL, NULL, WORDS(again, "--help")), 0);
        free(again);
        free(other);
        LATHE_OK("train", own_config(), "--target", "plain", "--data", "random:8", "-o",
                 in_folder("run"));
    }
    remove_entry(object);
    remove_entry(library);
    remove_entry(trainer);
}
END_TEST

Suite *cache_suite(void)
{
    TCase *tests = tcase_create("cache");
    tcase_add_checked_fixture(tests, folder_make, lathe_clean_up);
    tcase_set_timeout(tests, 120);
    tcase_add_loop_test(tests, damaged_entries_are_made_anew, 0, 2 * DAMAGES);
    tcase_add_test(tests, the_first_one_stays);
    tcase_add_test(tests, killed_makers_leave_nothing);
    tcase_add_test(tests, damaged_trainers_are_built_anew);
    Suite *suite = suite_create("cache");
    suite_add_tcase(suite, tests);
    return suite;
}
