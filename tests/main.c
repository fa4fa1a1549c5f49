/* The test program: run [SUITE...], all of them where none is named, each test in a
 * process of its own; run --list prints their names. Where they run
 * with sanitizers, "all" are those that suites.h has as BOTH. */
#include "tests/suites.h"

#include "runtime/kernels/gemm.h"
#include "tests/tools/sanitized.h"

#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name;
    Suite *(*make)(void);
    bool once;
} suites[] = {
#define BOTH(name) {#name, name##_suite, false},
#define ONCE(name) {#name, name##_suite, true},
    SUITES(BOTH, ONCE)
#undef BOTH
#undef ONCE
};
enum { SUITE_COUNT = sizeof suites / sizeof suites[0] };

/* Where none is named. */
static bool runs_here(int suite)
{
    return !SANITIZED || !suites[suite].once;
}

static int list(void)
{
    for (int i = 0; i < SUITE_COUNT; i++)
        if (runs_here(i))
            puts(suites[i].name);
    return EXIT_SUCCESS;
}

static void add(SRunner *runner, const char *name)
{
    int found = 0;
    for (int i = 0; i < SUITE_COUNT; i++)
        if (name ? strcmp(suites[i].name, name) == 0 : runs_here(i)) {
            srunner_add_suite(runner, suites[i].make());
            found = 1;
        }
    if (!found) {
        fprintf(stderr, "no suite is called %s; --list prints their names\n", name);
        exit(EXIT_FAILURE);
    }
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "--list") == 0)
        return list();
    /* Line by line, or tests in processes of their own print it again. */
    setvbuf(stdout, NULL, _IOLBF, 0);
    signal(SIGHUP, SIG_DFL); /* nohup ignores it, and so would all that is tested */
    unsetenv("MAKEFLAGS");   /* of a make that runs the tests: theirs is another */
    unsetenv("MAKELEVEL");
    rt_prepare_process(argv);
    SRunner *runner = srunner_create(NULL);
    if (argc < 2)
        add(runner, NULL);
    for (int i = 1; i < argc; i++)
        add(runner, argv[i]);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
