/* What training depends on: config, seed, data and target, not the machine. The same runs
 * by a lathe built for this machine and by one that knows nothing of it, under other
 * kernels of OpenBLAS and of the C library, end in the same weights to the bit. */
#include "tests/suites.h"

#include "gen/base/paths.h"
#include "runtime/base/support.h"
#include "tests/tools/built_net.h"
#include "tests/tools/folder.h"
#include "tests/tools/lathe_run.h"
#include "tests/tools/process.h"

#include <stdlib.h>

enum { MACHINES = 2, MOST_WORDS = 32 };

/* The environment and program of each machine; the second as old as x86-64 is. */
static const struct {
    const char *blas, *c_library;
} machines[MACHINES] = {
    {"OPENBLAS_CORETYPE=Haswell", "GLIBC_TUNABLES="},
    {"OPENBLAS_CORETYPE=Nehalem",
     "GLIBC_TUNABLES=glibc.cpu.hwcaps=-AVX512F,-AVX2,-AVX,-FMA,-FMA4"},
};

static void run_on(int machine, const char *const *words)
{
    const char *all[MOST_WORDS] = {"env", machines[machine].blas,
                                   machines[machine].c_library};
    char *program = machine == 0 ? rt_format("%s", lathe_program())
                                 : rt_format("%s/out/baseline/lathe", lathe_root());
    int count = 3;
    for (all[count++] = program; *words; words++)
        all[count++] = *words;
    ck_assert_int_lt(count, MOST_WORDS);
    int status = process_run(NULL, in_folder("out"), in_folder("err"), all);
    err = rt_read_file(in_folder("err"), NULL);
    ck_assert_msg(status == 0, "%s: status %d: %s", program, status, err);
    free(err);
    err = NULL;
    free(program);
}

/* Two checkpoints hold the same arrays. */
static void same_weights(const char *a, const char *b)
{
    LATHE_OK("export", in_folder(a), "-o", in_folder("a.npz"));
    LATHE_OK("export", in_folder(b), "-o", in_folder("b.npz"));
    check_same_bytes(in_folder("a.npz"), in_folder("b.npz"));
}

/* A config of tests/nets, trained on both machines into 0/ and 1/, from `weights` or
 * anew. */
static void train(int machine, const char *config, const char *weights,
                  const char *folder, const char *const *sets)
{
    const char *words[MOST_WORDS] = {"train",  config,       "--jit=cc",
                                     "--data", "random:256", "--steps",
                                     "24",     "-o",         in_folder(folder)};
    int count = 9;
    if (weights) {
        words[count++] = "--weights";
        words[count++] = in_folder(weights);
    }
    for (; *sets; sets++) {
        words[count++] = "--set";
        words[count++] = *sets;
    }
    words[count] = NULL;
    run_on(machine, words);
}

/* Convolutions of odd channels have no vector kernel; a cosine and a smoothed loss. */
START_TEST(floats_train_alike)
{
    for (int m = 0; m < MACHINES; m++)
        train(m, net_config("odd"), NULL, m ? "1" : "0",
              WORDS("train.schedule='cosine'", "train.epochs=8"));
    same_weights("0/last.ckpt", "1/last.ckpt");
}
END_TEST

static const char *const roundings[] = {"quant.gradient='tanh'",
                                        "quant.gradient='invtanh'"};

/* Calibration, quantised training with a gradient of its own, learned steps and
 * ranges. */
START_TEST(quantised_nets_train_alike)
{
    const char *config = net_config("quant_family");
    train(0, config, NULL, "float", WORDS("quant.quantizer='none'"));
    for (int m = 0; m < MACHINES; m++)
        train(m, config, "float/last.ckpt", m ? "1" : "0",
              WORDS("quant.quantizer='parametric_d_xmax'", roundings[_i],
                    "quant.gradient_scale=0.2", "quant.a_range='mse'"));
    same_weights("0/last.ckpt", "1/last.ckpt");
}
END_TEST

START_TEST(post_training_quantisation_is_alike)
{
    const char *config = net_config("quant_family");
    train(0, config, NULL, "float", WORDS("quant.quantizer='none'"));
    for (int m = 0; m < MACHINES; m++)
        run_on(m, WORDS("ptq", config, "--weights", in_folder("float/last.ckpt"),
                        "--data", "random:256", "--images", "64", "-o",
                        in_folder(m ? "1.ckpt" : "0.ckpt")));
    same_weights("0.ckpt", "1.ckpt");
}
END_TEST

Suite *machine_suite(void)
{
    Suite *suite = suite_create("machine");
    TCase *tests = tcase_create("same_bits");
    tcase_set_timeout(tests, 60);
    tcase_add_checked_fixture(tests, folder_make, lathe_clean_up);
    tcase_add_test(tests, floats_train_alike);
    tcase_add_loop_test(tests, quantised_nets_train_alike, 0, 2);
    tcase_add_test(tests, post_training_quantisation_is_alike);
    suite_add_tcase(suite, tests);
    return suite;
}
