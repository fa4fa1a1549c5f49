/* The standalone inference file: it compiles everywhere without a word, computes what the
 * layers in double do, and touches nothing but what its header says. */
#include "tests/suites.h"

#include "gen/base/paths.h"
#include "gen/emit/infer_file.h"
#include "runtime/base/support.h"
#include "tests/oracle/oracle.h"
#include "tests/tools/built_net.h"
#include "tests/tools/folder.h"
#include "tests/tools/process.h"
#include "tests/tools/random_weights.h"

#include <dlfcn.h>
#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { IMAGES = 12 };

/* ---- A network with its files, images and the scores they should get ---- */

typedef struct {
    Config config;
    size_t arena_bytes, pixels;
    int classes;
    uint8_t *images; /* [IMAGES][pixels] */
    double *scores;  /* [IMAGES][classes] */
} Shipment;

/* By transformed tiles, whole and cut, of weights that are constants or made for each
 * image; in plain C there are none. */
#define TILES "quant={ quantizer='none', winograd='always' }"

static const struct {
    const char *name, *sets[5];
} nets[] = {
    {"residual", {NULL}},
    {"residual", {"net.padding='same'", "net.side=16", "net.width=16"}},
    {"odd", {NULL}},
    {"odd", {"net.channels=1"}},
    {"words", {"net.normed=true", "net.leaky=true"}},
    {"winograd", {TILES, "net.height=16", "net.channels=16", "net.out=32"}},
    {"winograd", {TILES, "net.channels=16", "net.out=48"}},
    {"winograd", {"net.channels=16", "net.out=48"}},
};
enum { NETS = sizeof nets / sizeof *nets };

static void load_config(Shipment *s, int net)
{
    int sets = 0;
    while (nets[net].sets[sets])
        sets++;
    char *path = net_path(nets[net].name);
    ck_assert_msg(config_load(path, nets[net].sets, sets, &s->config), "%s", rt_error());
    free(path);
}

/* Leaves random weights as weights.ckpt in the test's folder, and what they should give.
 */
static void shipment_open(Shipment *s, int net)
{
    load_config(s, net);
    const Net *layers = &s->config.net;
    s->pixels = tensor_count(&layers->tensors[layers->ops[0].in[0]]);
    s->classes = s->config.class_count;
    float *params = rt_alloc(layers->param_floats * sizeof(float));
    float *stats = rt_alloc((layers->stat_floats + 1) * sizeof(float));
    random_seed(3);
    random_weights(layers, params, stats);
    random_checkpoint(&s->config, params, stats, in_folder("weights.ckpt"));
    s->images = rt_alloc(IMAGES * s->pixels);
    random_bytes(s->images, IMAGES * s->pixels);
    s->scores = rt_alloc(IMAGES * s->classes * sizeof(double));
    double *exact = to_doubles(params, layers->param_floats);
    double *tracked = to_doubles(stats, layers->stat_floats);
    oracle_forward(&s->config, exact, tracked, false, s->images, IMAGES, s->scores);
    free(params);
    free(stats);
    free(exact);
    free(tracked);
}

static void shipment_close(Shipment *s)
{
    free(s->images);
    free(s->scores);
    config_free(&s->config);
}

static void ship(const Shipment *s, const char *output, bool split)
{
    ck_assert_msg(shipped_write(&s->config, in_folder("weights.ckpt"), output,
                                (ShippedOptions){.split = split}),
                  "%s", rt_error());
}

/* ---- Compiled ---- */

typedef struct {
    void (*scores)(const uint8_t *image, void *arena, float *scores);
    int (*classify)(const uint8_t *image, void *arena);
    const char *(*class_name)(int class_number);
    size_t arena_bytes;
    void *library;
} Shipped;

static void *symbol(const Shipped *shipped, const char *name, const char *suffix)
{
    char *text = rt_format("%s_%s", name, suffix);
    void *found = dlsym(shipped->library, text);
    ck_assert_msg(found != NULL, "no %s", text);
    free(text);
    return found;
}

/* NAME_ARENA_BYTES as the header defines it. */
static size_t arena_bytes(const Shipment *s, const char *header)
{
    char *text = rt_read_file(header, NULL),
         *name = rt_format("%s_ARENA_BYTES ", s->config.name);
    ck_assert_ptr_nonnull(text);
    for (char *p = name; *p != '_'; p++)
        *p -= 'a' - 'A';
    const char *at = strstr(text, name);
    ck_assert_ptr_nonnull(at);
    size_t bytes = strtoul(at + strlen(name), NULL, 10);
    free(text);
    free(name);
    return bytes;
}

static void load(Shipped *shipped, const Shipment *s, const char *object,
                 const char *header)
{
    shipped->library = dlopen(object, RTLD_NOW | RTLD_LOCAL);
    ck_assert_msg(shipped->library != NULL, "%s", dlerror());
    *(void **)&shipped->scores = symbol(shipped, s->config.name, "scores");
    *(void **)&shipped->classify = symbol(shipped, s->config.name, "classify");
    *(void **)&shipped->class_name = symbol(shipped, s->config.name, "class_name");
    shipped->arena_bytes = arena_bytes(s, header);
}

static const struct {
    const char *name, *words[10], *target;
} builds[] = {
    {"gcc", {"gcc", "-O0"}, "plain"},
    {"gcc", {"gcc", "-O3", "-march=x86-64-v3", "-ffp-contract=fast"}, "avx2"},
    {"gcc", {"gcc", "-O2", "-march=x86-64-v4"}, "avx512"},
    {"gcc", {"gcc", "-O2", "-msse4.1"}, "sse4"},
    {"clang", {"clang", "-O1", "-Wno-unknown-warning-option"}, "plain"},
    {"clang", {"clang", "-O2", "-march=x86-64-v4"}, "avx512"},
    {"tcc", {"tcc"}, "plain"},
};
enum { BUILDS = sizeof builds / sizeof *builds };

/* All files of the shipment as one shared object, compiled without a warning. */
static void build(int build, const char *const *sources, const char *object)
{
    compile_shipped(builds[build].words, sources, object);
}

static bool can_build(int build)
{
    bool installed = program_installed(builds[build].name);
    bool runs = machine_runs(builds[build].target);
    if (!installed || !runs)
        printf("skipped: %s for %s\n", builds[build].name, builds[build].target);
    return installed && runs;
}

/* ---- Tests ---- */

static void check_scores(const Shipment *s, int image, const float *scores)
{
    const double *want = s->scores + (size_t)image * s->classes;
    double most = 0;
    for (int k = 0; k < s->classes; k++)
        most = fmax(most, fabs(want[k]));
    for (int k = 0; k < s->classes; k++)
        if (!(fabs(scores[k] - want[k]) <= 1e-5 * most))
            ck_abort_msg("image %d, class %d: score %.9g, want %.9g", image, k,
                         (double)scores[k], want[k]);
}

static void check_classes(const Shipment *s, const Shipped *shipped, char *arena)
{
    for (int image = 0; image < IMAGES; image++) {
        const double *want = s->scores + (size_t)image * s->classes;
        int best = 0;
        for (int k = 1; k < s->classes; k++)
            best = want[k] > want[best] ? k : best;
        ck_assert_int_eq(shipped->classify(s->images + image * s->pixels, arena), best);
    }
    for (int k = 0; k < s->classes; k++)
        ck_assert_str_eq(shipped->class_name(k), s->config.class_names[k]);
    ck_assert_str_eq(shipped->class_name(-1), "");
    ck_assert_str_eq(shipped->class_name(s->classes), "");
}

/* The arena may lie at any float and hold anything; nothing around it or the scores
 * changes. */
static void check_memory(const Shipment *s, const Shipped *shipped)
{
    enum { GUARD = 256, FILL = 0x5a };
    size_t all = shipped->arena_bytes + 2 * GUARD;
    char *memory = rt_alloc_aligned(all);
    float scores[64];
    for (int image = 0; image < IMAGES; image++) {
        size_t shift = image % 3 * 4;
        memset(memory, image % 2 ? 0xff : FILL, all);
        memset(scores, FILL, sizeof scores);
        memset(memory, FILL, GUARD + shift);
        memset(memory + GUARD + shift + shipped->arena_bytes, FILL, GUARD - shift);
        shipped->scores(s->images + image * s->pixels, memory + GUARD + shift,
                        scores + 1);
        check_scores(s, image, scores + 1);
        for (size_t i = 0; i < GUARD + shift; i++)
            if (memory[i] != FILL)
                ck_abort_msg("byte %zu before the arena was written", GUARD + shift - i);
        for (size_t i = GUARD + shift + shipped->arena_bytes; i < all; i++)
            if (memory[i] != FILL)
                ck_abort_msg("byte %zu behind the arena was written",
                             i - GUARD - shift - shipped->arena_bytes);
        ck_assert_mem_eq(&scores[0], ((char[]){FILL, FILL, FILL, FILL}), 4);
        ck_assert_mem_eq(&scores[1 + s->classes], ((char[]){FILL, FILL, FILL, FILL}), 4);
    }
    check_classes(s, shipped, memory);
    free(memory);
}

/* Every compiler, as one file or as two, in turns. */
START_TEST(scores_are_those_of_the_layers)
{
    Shipment s;
    Shipped shipped;
    int way = _i % BUILDS;
    if (!can_build(way))
        return;
    shipment_open(&s, _i / BUILDS);
    const bool split = (_i / BUILDS + way) % 2;
    const char *file = in_folder("file.c"), *object = in_folder("file.so");
    ship(&s, file, split);
    const char *const sources[] = {file, split ? in_folder("file_weights.c") : NULL,
                                   NULL};
    build(way, sources, object);
    load(&shipped, &s, object, in_folder("file.h"));
    check_memory(&s, &shipped);
    dlclose(shipped.library);
    shipment_close(&s);
}
END_TEST

/* Four threads, each with its own arena, over and over. */
typedef struct {
    const Shipment *shipment;
    const Shipped *shipped;
    int first;
    bool same;
} Runner;

static void *run(void *context)
{
    Runner *runner = context;
    const Shipment *s = runner->shipment;
    char *arena = rt_alloc(runner->shipped->arena_bytes);
    runner->same = true;
    for (int i = 0; i < 20 * IMAGES; i++) {
        int image = (runner->first + i) % IMAGES, classes = s->classes;
        float scores[64], again[64];
        runner->shipped->scores(s->images + image * s->pixels, arena, scores);
        runner->shipped->scores(s->images + image * s->pixels, arena, again);
        runner->same =
            runner->same && memcmp(scores, again, classes * sizeof(float)) == 0;
        for (int k = 0; k < classes; k++)
            runner->same =
                runner->same && fabs(scores[k] - s->scores[image * classes + k]) <
                                    1e-4 * (1 + fabs(s->scores[image * classes + k]));
    }
    free(arena);
    return NULL;
}

START_TEST(calls_do_not_meet)
{
    enum { THREADS = 4 };
    Shipment s;
    Shipped shipped;
    Runner runners[THREADS];
    pthread_t threads[THREADS];
    shipment_open(&s, _i);
    ship(&s, in_folder("one.c"), false);
    build(0, (const char *const[]){in_folder("one.c"), NULL}, in_folder("one.so"));
    load(&shipped, &s, in_folder("one.so"), in_folder("one.h"));
    for (int i = 0; i < THREADS; i++) {
        runners[i] = (Runner){&s, &shipped, i, false};
        ck_assert_int_eq(pthread_create(&threads[i], NULL, run, &runners[i]), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        ck_assert(runners[i].same);
    }
    dlclose(shipped.library);
    shipment_close(&s);
}
END_TEST

/* What `nm` lists: no data that can be written, no names but the three. */
START_TEST(no_state_and_no_other_names)
{
    Shipment s;
    shipment_open(&s, _i);
    ship(&s, in_folder("one.c"), false);
    compile_quietly((const char *const[]){"gcc", "-O1", "-fno-pic", "-c", "-o",
                                          in_folder("one.o"), in_folder("one.c"), NULL});
    const char *list = in_folder("names");
    ck_assert_int_eq(
        process_run(NULL, list, NULL,
                    (const char *const[]){"nm", "--defined-only", "--format=posix",
                                          in_folder("one.o"), NULL}),
        0);
    char *text = rt_read_file(list, NULL), *rest = text;
    int exported = 0;
    for (char *line; (line = strsep(&rest, "\n")) && *line;) {
        const char *kind = strchr(line, ' ') + 1;
        ck_assert_msg(strchr("dDbBC", *kind) == NULL, "data that can be written: %s",
                      line);
        if (*kind != 'T' && *kind != 'R')
            continue;
        exported++;
        ck_assert_msg(strncmp(line, s.config.name, strlen(s.config.name)) == 0, "%s",
                      line);
    }
    ck_assert_int_eq(exported, 3);
    free(text);
    shipment_close(&s);
}
END_TEST

/* A C++ program that includes the header and links the C file. */
START_TEST(header_serves_cpp)
{
    static const char program[] =
        "#include \"one.h\"\n"
        "#include <cstdio>\n"
        "int main()\n"
        "{\n"
        "    static uint8_t image[RESIDUAL_HEIGHT * RESIDUAL_WIDTH * "
        "RESIDUAL_CHANNELS];\n"
        "    static float arena[RESIDUAL_ARENA_BYTES / sizeof(float)];\n"
        "    static float scores[RESIDUAL_CLASSES];\n"
        "    if (std::fread(image, 1, sizeof image, stdin) != sizeof image)\n"
        "        return 1;\n"
        "    residual_scores(image, arena, scores);\n"
        "    std::fwrite(scores, 1, sizeof scores, stdout);\n"
        "    return residual_classify(image, arena) < 0;\n"
        "}\n";
    Shipment s;
    if (!program_installed("g++")) {
        puts("skipped: no g++");
        return;
    }
    shipment_open(&s, 0);
    ship(&s, in_folder("one.c"), false);
    write_text(in_folder("main.cpp"), program);
    write_bytes(in_folder("image"), s.images, s.pixels);
    const char *object = in_folder("one.o"), *binary = in_folder("main");
    compile_quietly((const char *const[]){"gcc", "-std=c99", "-O1", "-c", "-o", object,
                                          in_folder("one.c"), NULL});
    compile_quietly((const char *const[]){"g++", "-std=c++11", "-Wall", "-Wextra",
                                          "-Wpedantic", "-Werror", "-o", binary,
                                          in_folder("main.cpp"), object, NULL});
    char *command = rt_format("%s < %s", binary, in_folder("image"));
    ck_assert_int_eq(process_run(NULL, in_folder("scores"), NULL,
                                 (const char *const[]){"sh", "-c", command, NULL}),
                     0);
    size_t bytes;
    char *scores = rt_read_file(in_folder("scores"), &bytes);
    ck_assert_uint_eq(bytes, s.classes * sizeof(float));
    check_scores(&s, 0, (const float *)(void *)scores);
    free(scores);
    free(command);
    shipment_close(&s);
}
END_TEST

/* -DLATHE_MAIN: raw images in, a class a line out; a cut image is an error. */
START_TEST(main_classifies_raw_images)
{
    Shipment s;
    shipment_open(&s, 2);
    ship(&s, in_folder("one.c"), false);
    const char *binary = in_folder("main"), *images = in_folder("images");
    compile_quietly((const char *const[]){"gcc", "-std=c99", "-Wall", "-Wextra",
                                          "-Wpedantic", "-Werror", "-O1", "-DLATHE_MAIN",
                                          "-o", binary, in_folder("one.c"), "-lm", NULL});
    char *command = rt_format("%s < %s", binary, images), want[IMAGES * 32] = "";
    const char *const words[] = {"sh", "-c", command, NULL};
    for (int image = 0; image < IMAGES; image++) {
        const double *scores = s.scores + image * s.classes;
        int best = 0;
        for (int k = 1; k < s.classes; k++)
            best = scores[k] > scores[best] ? k : best;
        sprintf(want + strlen(want), "%d %s\n", best, s.config.class_names[best]);
    }
    for (int cut = 0; cut < 2; cut++) {
        write_bytes(images, s.images, IMAGES * s.pixels - (size_t)cut);
        int status = process_run(NULL, in_folder("out"), in_folder("err"), words);
        char *said = rt_read_file(in_folder("out"), NULL);
        char *complained = rt_read_file(in_folder("err"), NULL);
        ck_assert_int_eq(status, cut);
        if (cut)
            *strrchr(want, 'c') = 0; /* the last line, "N class N", is not said */
        ck_assert_int_eq(strncmp(said, want, strlen(want) - (cut ? 2 : 0)), 0);
        char *problem =
            rt_format("the last image has %zu bytes, want %zu\n", s.pixels - 1, s.pixels);
        ck_assert_str_eq(complained, cut ? problem : "");
        free(problem);
        free(said);
        free(complained);
    }
    free(command);
    shipment_close(&s);
}
END_TEST

/* Written again, from another working directory, by another path. */
START_TEST(same_bytes_every_time)
{
    static const char *const files[] = {"infer.c", "infer.h", "infer_weights.c"};
    Shipment s, again;
    shipment_open(&s, _i);
    ck_assert(rt_make_directories(in_folder("a")) && rt_make_directories(in_folder("b")));
    ship(&s, in_folder("a/infer.c"), true);
    ck_assert_int_eq(chdir(in_folder("b")), 0);
    load_config(&again, _i);
    ck_assert_msg(shipped_write(&again.config, "../weights.ckpt", "infer.c",
                                (ShippedOptions){.split = true}),
                  "%s", rt_error());
    for (int i = 0; i < 3; i++) {
        char *a = rt_format("%s/%s", in_folder("a"), files[i]);
        check_same_bytes(a, files[i]);
        free(a);
    }
    ck_assert_int_eq(chdir("/"), 0);
    config_free(&again.config);
    shipment_close(&s);
}
END_TEST

START_TEST(wrong_weights_are_refused)
{
    const ShippedOptions one_file = {0};
    Shipment s, other;
    shipment_open(&s, 0);
    load_config(&other, 1);
    ck_assert(!shipped_write(&other.config, in_folder("weights.ckpt"), in_folder("x.c"),
                             one_file));
    check_error(
        "%s: image: the checkpoint has IMAGE to 13x15x3 from pixels, the config says "
        "IMAGE to 16x18x3 from pixels",
        in_folder("weights.ckpt"));
    ck_assert(
        !shipped_write(&s.config, in_folder("none.ckpt"), in_folder("x.c"), one_file));
    check_error("%s: No such file or directory", in_folder("none.ckpt"));
    ck_assert(!shipped_write(&s.config, in_folder("weights.ckpt"), in_folder("x.cc"),
                             one_file));
    check_error("-o %s: want a file whose name ends in .c", in_folder("x.cc"));
    ck_assert_int_ne(access(in_folder("x.c"), F_OK), 0);
    config_free(&other.config);
    shipment_close(&s);
}
END_TEST

Suite *shipped_suite(void)
{
    TCase *tests = tcase_create("shipped");
    tcase_add_checked_fixture(tests, folder_make, folder_remove);
    tcase_set_timeout(tests, 120);
    tcase_add_loop_test(tests, scores_are_those_of_the_layers, 0, NETS * BUILDS);
    tcase_add_loop_test(tests, calls_do_not_meet, 0, NETS);
    tcase_add_loop_test(tests, no_state_and_no_other_names, 0, NETS);
    tcase_add_test(tests, header_serves_cpp);
    tcase_add_test(tests, main_classifies_raw_images);
    tcase_add_loop_test(tests, same_bytes_every_time, 0, NETS);
    tcase_add_test(tests, wrong_weights_are_refused);
    Suite *suite = suite_create("shipped");
    suite_add_tcase(suite, tests);
    return suite;
}
