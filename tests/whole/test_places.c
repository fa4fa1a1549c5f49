/* Where lathe is and where it works: folders with names that shells and make take apart,
 * an installed lathe that writes to the user's cache alone, and a binary without its
 * parts. */
#include "tests/suites.h"

#include "gen/base/paths.h"
#include "runtime/base/support.h"
#include "tests/tools/built_net.h"
#include "tests/tools/folder.h"
#include "tests/tools/lathe_run.h"
#include "tests/tools/process.h"
#include "tests/tools/trainer_run.h"

#include <ftw.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Stand in a new folder of the test's, with a config in it. */
static void stand_in(const char *folder)
{
    ck_assert(rt_make_directories(in_folder(folder)));
    ck_assert_int_eq(chdir(in_folder(folder)), 0);
    char *path = net_path("residual");
    size_t bytes;
    char *text = rt_read_file(path, &bytes);
    ck_assert_ptr_nonnull(text);
    write_bytes("n.lua", text, bytes);
    free(text);
    free(path);
}

/* Run a program that must work and say nothing on stderr. */
static void works(const char *const *words)
{
    int status = process_run(NULL, in_folder("out"), in_folder("err"), words);
    char *said = rt_read_file(in_folder("err"), NULL);
    ck_assert_msg(status == 0 && *said == 0, "%s %s: status %d: %s", words[0], words[1],
                  status, said);
    free(said);
}

static const char *const strange[] = {"a b",  "it's \"it\"", "a$b$(c)${d}",
                                      "a:b",  "a%b",         "a#b",
                                      "a\\b", "a,b;c&d|e",   "a{b}(c)[d]*?"};
enum { STRANGE = sizeof strange / sizeof *strange };

/* Output, weights, and the cache in there. */
START_TEST(any_folder_will_do)
{
    stand_in(strange[_i]);
    LATHE_OK("gen", "n.lua", "--cache", "cache");
    works(WORDS("make", "-s", "-C", "out/n"));
    LATHE_OK("train", "n.lua", "--data", "random:40", "--epochs", "1", "--cache",
             "cache");
    LATHE_OK("eval", "n.lua", "--weights", "out/n/best.ckpt", "--data", "random:40",
             "--cache", "cache", "--jit=tcc");
    LATHE_OK("emit", "n.lua", "--weights", "out/n/best.ckpt", "-o", "out/infer.c");
    works(WORDS("gcc", "-c", "-o", "out/infer.o", "out/infer.c"));
    ck_assert(exists("cache"));
}
END_TEST

START_TEST(a_lathe_alone_says_what_it_misses)
{
    const char *alone = in_folder("lathe");
    works(WORDS("cp", lathe_program(), alone));
    ck_assert_int_eq(
        process_run(NULL, NULL, in_folder("err"), WORDS(alone, "show", "n.lua")), 1);
    char *said = rt_read_file(in_folder("err"), NULL);
    char *wanted = rt_format("lathe: %s: its own files are missing: want gen, templates "
                             "and runtime in a folder above it, as in a checkout, or in "
                             "../lib/lathe, as make install puts them\n",
                             alone);
    ck_assert_str_eq(said, wanted);
    free(said);
    free(wanted);
}
END_TEST

#ifndef __SANITIZE_ADDRESS__ /* what is installed is the plain build */

static void train_and_verify(const char *lathe)
{
    works(WORDS(lathe, "train", "n.lua", "--data", "random:40", "--epochs", "1"));
    ck_assert(exists("out/n/best.ckpt"));
    works(WORDS("make", "-s", "-C", "out/n"));
    works(WORDS("out/n/trainer", "eval", "--weights", "out/n/best.ckpt", "--data",
                "random:40"));
    works(WORDS(lathe, "verify", "n.lua", "--weights", "out/n/best.ckpt", "--data",
                "random:40"));
    works(WORDS(lathe, "eval", "n.lua", "--weights", "out/n/best.ckpt", "--data",
                "random:40", "--jit=tcc"));
}

/* Path, size and time of all below the folder. */
static unsigned long seen;

static int see(const char *path, const struct stat *status, int type, struct FTW *walk)
{
    (void)type;
    (void)walk;
    unsigned long sum =
        (unsigned long)status->st_size * 31 + (unsigned long)status->st_mtim.tv_nsec;
    while (*path)
        sum = sum * 31 + (unsigned char)*path++;
    seen += sum; /* in any order */
    return 0;
}

static unsigned long all_below(const char *folder)
{
    seen = 0;
    ck_assert_int_eq(nftw(folder, see, 16, FTW_PHYS), 0);
    ck_assert_uint_ne(seen, 0);
    return seen;
}

START_TEST(an_installed_lathe_writes_to_the_users_cache)
{
    char *prefix = rt_format("PREFIX=%s", in_folder("it's a#prefix:1%"));
    char *there = rt_format("%s", strchr(prefix, '=') + 1);
    works(WORDS("make", "-s", "-C", lathe_root(), "install", prefix));
    char *lathe = rt_format("%s/bin/lathe", there);
    unsigned long before = all_below(there);
    stand_in("home");
    setenv("HOME", in_folder("home"), 1);
    unsetenv("XDG_CACHE_HOME");
    train_and_verify(lathe);
    ck_assert(exists(".cache/lathe"));
    setenv("XDG_CACHE_HOME", in_folder("home/kept"), 1);
    works(WORDS(lathe, "eval", "n.lua", "--weights", "out/n/best.ckpt", "--data",
                "random:40"));
    ck_assert(exists("kept/lathe"));
    works(WORDS(lathe, "eval", "n.lua", "--weights", "out/n/best.ckpt", "--data",
                "random:40", "--cache", "mine"));
    ck_assert(exists("mine"));
    ck_assert_uint_eq(all_below(there), before);
    works(WORDS("make", "-s", "-C", lathe_root(), "uninstall", prefix));
    ck_assert(!exists(lathe));
    free(prefix);
    free(there);
    free(lathe);
}
END_TEST
#endif

Suite *places_suite(void)
{
    TCase *tests = tcase_create("places");
    tcase_add_checked_fixture(tests, folder_make, lathe_clean_up);
    tcase_set_timeout(tests, 240);
    tcase_add_loop_test(tests, any_folder_will_do, 0, STRANGE);
    tcase_add_test(tests, a_lathe_alone_says_what_it_misses);
#ifndef __SANITIZE_ADDRESS__
    tcase_add_test(tests, an_installed_lathe_writes_to_the_users_cache);
#endif
    Suite *suite = suite_create("places");
    suite_add_tcase(suite, tests);
    return suite;
}
