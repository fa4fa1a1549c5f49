/* Convolutions of codes by transformed tiles: where they are taken, and that they are the
 * direct ones to the bit: forced on layers of every kind, with random and with extreme
 * codes. */
#include "tests/suites.h"

#include "gen/passes/compile.h"
#include "runtime/base/support.h"
#include "tests/oracle/quant_reference.h"
#include "tests/tools/built_net.h"
#include "tests/tools/folder.h"
#include "tests/tools/process.h"
#include "tests/tools/quant_net.h"
#include "tests/tools/quant_shipped.h"
#include "tests/tools/random_weights.h"

#include <stdlib.h>
#include <string.h>

#define QUANT(w, a, more)                                                                \
    "quant={ quantizer='uniform_static', w_bits=" #w ", a_bits=" #a                      \
    ", winograd='always'" more " }"

/* ---- Where ---- */

static const struct {
    const char *target, *sets[6];
    int layers; /* of b0_a, b0_b and b1_b */
} choices[] = {
    {"vnni", {"net.width=16", QUANT(4, 4, "")}, 3},
    {"vnni", {"net.width=32", "net.side=5", QUANT(4, 6, "")}, 3},
    {"vnni", {"net.width=64", "net.growth=1", QUANT(2, 1, "")}, 3},
    {"vnni", {"net.width=32", "net.side=4", QUANT(4, 4, "")}, 3},
    /* 4 * 127 is no byte, 9 * 15 no signed one */
    {"vnni", {"net.width=16", QUANT(4, 7, "")}, 0},
    {"vnni", {"net.width=16", QUANT(5, 4, "")}, 0},
    {"vnni", {"net.width=16", QUANT(4, 4, ", layers={{'b0_a', w_bits=5, a_bits=7}}")}, 1},
    {"vnni", {"net.width=16", "quant.quantizer='parametric_d_xmax'"}, 0},
    /* channels that fill no vectors */
    {"vnni", {"net.width=8", "net.growth=6", QUANT(4, 4, "")}, 0},
    {"vnni", {"net.width=48", "net.growth=1", QUANT(4, 4, "")}, 0},
    {"vnni", {"net.width=16", QUANT(4, 4, ", layers={{'b*', winograd='never'}}")}, 0},
    {"vnni", {"net.width=32", "net.side=16", "quant.winograd='auto'"}, 3},
    /* a map of 2x3: as many products, and the transforms */
    {"vnni", {"net.width=16", "net.side=2", "quant.winograd='auto'"}, 0},
    {"avx2", {"net.width=16", QUANT(8, 8, "")}, 3},
    {"avx2", {"net.width=32", "net.side=5", QUANT(4, 6, "")}, 3},
    {"avx2", {"net.width=48", "net.growth=1", QUANT(8, 8, "")}, 3},
    {"avx2", {"net.width=8", "net.growth=6", QUANT(4, 4, "")}, 1},
    /* 9 * 112 * 127 * 255 is less than 2^25, 9 * 128 * 127 * 255 is not */
    {"avx2", {"net.width=112", "net.growth=1", QUANT(8, 8, "")}, 3},
    {"avx2", {"net.width=128", "net.growth=1", QUANT(8, 8, "")}, 0},
    {"avx2", {"net.width=128", "net.growth=1", QUANT(7, 8, "")}, 3},
    {"avx2", {"net.width=16", "net.side=2", "quant.winograd='auto'"}, 0},
    {"avx2", {"net.width=32", "net.side=16", "quant.winograd='auto'"}, 3},
    {"sse4", {"net.width=16", QUANT(4, 4, "")}, 0},
    {"plain", {"net.width=16", QUANT(4, 4, "")}, 0},
};

START_TEST(tiles_are_transformed_where_that_is_exact)
{
    QuantNet net;
    Net infer;
    quant_net_open_other(&net, "quant_family", choices[_i].sets);
    const CompileOptions options = {.target = target_find(choices[_i].target)};
    ck_assert(compile_infer(&net.config, &options, &infer));
    int layers = 0, unpacked = 0, packed = 0;
    for (int i = 0; i < infer.op_count; i++) {
        const Op *op = &infer.ops[i];
        const bool tiles = op->kind == OP_I_WINOGRAD;
        layers += tiles;
        unpacked += op->kind == OP_I_UNPACK;
        packed += (tiles || op->kind == OP_I_CONV) && op->quant.w_bits < 8;
    }
    ck_assert_int_eq(layers, choices[_i].layers);
    const bool kept = layers > 0 && strcmp(choices[_i].target, "vnni") == 0;
    ck_assert_int_eq(unpacked > 0, packed > 0 && !kept);
    net_free(&infer);
    quant_net_close(&net);
}
END_TEST

/* ---- To the bit ---- */

static const char *const nets[][6] = {
    {"net.width=16", QUANT(4, 4, "")},
    {"net.width=16", "net.side=7", "net.shortcut='B'", QUANT(4, 6, ", per_channel=true")},
    {"net.width=32", "net.side=7", "net.shortcut='B'", QUANT(4, 4, "")},
    {"net.width=16", "net.side=16", "net.growth=4", "net.shortcut='B'", QUANT(4, 4, "")},
    {"net.width=32", "net.side=16", "net.growth=4", "net.early=true", QUANT(2, 6, "")},
    {"net.width=64", "net.side=14", "net.growth=1", QUANT(4, 6, "")},
    {"net.width=16", "net.side=16", QUANT(8, 8, "")},
    {"net.width=32", "net.side=7", "net.shortcut='B'", QUANT(8, 8, ", per_channel=true")},
    {"net.width=128", "net.side=6", "net.growth=1", QUANT(7, 8, "")},
};
/* BANDS: of a projection whose sums are made and added four rows at a time. */
enum { NETS = sizeof nets / sizeof *nets, BANDS = 3, IMAGES = 3 };
/* Of quant_shipped.c, for this machine. */
enum { BUILD_GCC = 1, BUILD_AVX2 = 2, BUILD_CLANG = 5 };

/* Kernels of the largest codes: all of one sign, all of the other, and of both. */
static void make_extreme(QuantNet *net)
{
    const Net *layout = &net->config.net;
    for (int i = 0; i < layout->op_count; i++) {
        const Op *op = &layout->ops[i];
        if (op->kind != OP_CONV)
            continue;
        const Tensor *w = op_in(layout, op, "w");
        for (long j = 0; j < tensor_count(w); j++) {
            int channel = (int)(j % w->k);
            bool positive = channel < 2 ? channel == 0 : random_unit() > 0;
            net->params[w->offset + j] = positive ? 1000 : -1000;
        }
    }
}

static void ship(QuantNet *net, Constants *constants)
{
    Checkpoint checkpoint = {0};
    const char *path = in_folder("weights.ckpt");
    random_checkpoint(&net->config, net->params, net->stats, path);
    ck_assert(checkpoint_read(path, &checkpoint));
    ck_assert_msg(constants_make(&net->config, &checkpoint, path, constants), "%s",
                  rt_error());
    checkpoint_free(&checkpoint);
    ck_assert_msg(
        shipped_write(&net->config, path, in_folder("file.c"), (ShippedOptions){0}), "%s",
        rt_error());
}

START_TEST(scores_are_those_of_direct_convolutions)
{
    QuantNet net;
    Constants constants;
    quant_net_open_other(&net, "quant_family", nets[_i % NETS]);
    if (_i >= NETS)
        make_extreme(&net);
    ship(&net, &constants);
    uint8_t *images = rt_alloc(IMAGES * net.pixels);
    int32_t *scores = rt_alloc(IMAGES * net.classes * sizeof *scores);
    random_bytes(images, IMAGES * net.pixels);
    memset(images, 0, net.pixels);
    memset(images + net.pixels, 255, net.pixels);
    for (int i = 0; i < IMAGES; i++)
        quant_ref_scores(&net, &constants, images + i * net.pixels,
                         scores + i * net.classes);
    const int used[] = {(_i + _i / NETS) % 2 ? BUILD_CLANG : BUILD_GCC, BUILD_AVX2};
    const bool own = target_shipped(target_find(NULL), SHIP_CODES) == target_find("avx2");
    for (int i = 0; i < (own ? 1 : 2); i++) { /* this machine's, and AVX2's */
        QuantShipped shipped;
        if (!quant_shipped_load(&shipped, &net.config, in_folder("file.c"), false,
                                used[i]))
            continue;
        quant_shipped_check(&shipped, images, net.pixels, IMAGES, scores, net.classes);
        quant_shipped_close(&shipped);
    }
    char *text = rt_read_file(in_folder("file.c"), NULL);
    ck_assert_ptr_nonnull(strstr(text, "_i_winograd_3x3_"));
    ck_assert((strstr(text, "h < 8; h += 4) {\n") != NULL) == (_i % NETS == BANDS));
    free(text);
    free(images);
    free(scores);
    constants_free(&constants);
    quant_net_close(&net);
}
END_TEST

/* ---- Compiled ---- */

/* Each compiler finds the layers of its own kernels, also on machines that do not run
 * them: at 8 bits only AVX2 has tiles. */
START_TEST(every_target_compiles)
{
    static const char *const flags[][2] = {
        {"-march=x86-64-v4", "-mavx512vnni"},
        {"-march=x86-64-v4", "-mavx"},
        {"-march=x86-64-v3", "-mavx"},
        {"-msse4.1", "-msse2"},
        {"-msse2", "-msse"},
    };
    QuantNet net;
    Constants constants;
    if (!target_runs(target_find("sse2")))
        return;
    quant_net_open_other(&net, "quant_family", nets[_i == 0 ? 0 : NETS - 3]);
    ship(&net, &constants);
    for (int i = 0; i < 5; i++)
        compile_shipped(
            (const char *const[]){"gcc", "-O1", flags[i][0], flags[i][1], NULL},
            (const char *const[]){in_folder("file.c"), NULL}, in_folder("file.so"));
    constants_free(&constants);
    quant_net_close(&net);
}
END_TEST

Suite *winograd_codes_suite(void)
{
    TCase *tests = tcase_create("winograd_codes");
    tcase_add_checked_fixture(tests, folder_make, folder_remove);
    tcase_set_timeout(tests, 120);
    tcase_add_loop_test(tests, tiles_are_transformed_where_that_is_exact, 0,
                        sizeof choices / sizeof *choices);
    tcase_add_loop_test(tests, scores_are_those_of_direct_convolutions, 0, 2 * NETS);
    tcase_add_loop_test(tests, every_target_compiles, 0, 2);
    Suite *suite = suite_create("winograd_codes");
    suite_add_tcase(suite, tests);
    return suite;
}
