/* The test program: every suite, each test in a process of its own. CK_RUN_SUITE=name
 * runs one of them. */
#include "tests/suites.h"

#include "runtime/kernels/gemm.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv)
{
    (void)argc;
    setvbuf(stdout, NULL, _IOLBF,
            0);            /* or tests in processes of their own print it again */
    signal(SIGHUP, SIG_DFL); /* nohup ignores it, and so would all that is tested */
    unsetenv("MAKEFLAGS"); /* of a make that runs the tests: theirs is another */
    unsetenv("MAKELEVEL");
    rt_prepare_process(argv);
    SRunner *runner = srunner_create(augment_suite());
    srunner_add_suite(runner, cache_suite());
    srunner_add_suite(runner, checkpoint_suite());
    srunner_add_suite(runner, class_names_suite());
    srunner_add_suite(runner, cmd_data_suite());
    srunner_add_suite(runner, colour_suite());
    srunner_add_suite(runner, command_suite());
    srunner_add_suite(runner, compare_suite());
    srunner_add_suite(runner, config_suite());
    srunner_add_suite(runner, data_suite());
    srunner_add_suite(runner, events_suite());
    srunner_add_suite(runner, groups_suite());
    srunner_add_suite(runner, hostile_suite());
    srunner_add_suite(runner, image_files_suite());
    srunner_add_suite(runner, images_suite());
    srunner_add_suite(runner, import_suite());
    srunner_add_suite(runner, import_names_suite());
    srunner_add_suite(runner, inspect_suite());
    srunner_add_suite(runner, interrupt_suite());
    srunner_add_suite(runner, jit_suite());
    srunner_add_suite(runner, jpeg_suite());
    srunner_add_suite(runner, library_suite());
    srunner_add_suite(runner, kill_suite());
    srunner_add_suite(runner, optim_suite());
    srunner_add_suite(runner, outside_suite());
    srunner_add_suite(runner, page_suite());
    srunner_add_suite(runner, passes_suite());
    srunner_add_suite(runner, pickle_suite());
    srunner_add_suite(runner, picture_suite());
    srunner_add_suite(runner, places_suite());
    srunner_add_suite(runner, plan_suite());
    srunner_add_suite(runner, predict_suite());
    srunner_add_suite(runner, profile_suite());
    srunner_add_suite(runner, prompt_suite());
    srunner_add_suite(runner, ptq_suite());
    srunner_add_suite(runner, published_suite());
    srunner_add_suite(runner, quant_budget_suite());
    srunner_add_suite(runner, quant_integer_suite());
    srunner_add_suite(runner, quant_numbers_suite());
    srunner_add_suite(runner, quant_ranges_suite());
    srunner_add_suite(runner, quant_requant_suite());
    srunner_add_suite(runner, quant_ship_suite());
    srunner_add_suite(runner, quant_train_suite());
    srunner_add_suite(runner, repl_suite());
    srunner_add_suite(runner, resume_suite());
    srunner_add_suite(runner, runs_suite());
    srunner_add_suite(runner, shipped_suite());
    srunner_add_suite(runner, stack_suite());
    srunner_add_suite(runner, streams_suite());
    srunner_add_suite(runner, trainer_suite());
    srunner_add_suite(runner, weights_suite());
    srunner_add_suite(runner, kernels_suite());
    srunner_add_suite(runner, machine_suite());
    srunner_add_suite(runner, matmul_suite());
    srunner_add_suite(runner, verify_suite());
    srunner_add_suite(runner, network_suite());
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner), run = srunner_ntests_run(runner);
    srunner_free(runner);
    printf("%s: %d tests, %d failed\n", argv[0], run, failed);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
