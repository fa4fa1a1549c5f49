/* What emit's options change, and that they change nothing else: emitted files that are
 * compiled as one, as C and as C++, give the scores that each gives by itself. */
#include "tests/suites.h"

#include "gen/emit/infer_file.h"
#include "gen/run/scores.h"
#include "runtime/base/support.h"
#include "tests/tools/built_net.h"
#include "tests/tools/float_shipped.h"
#include "tests/tools/folder.h"
#include "tests/tools/process.h"
#include "tests/tools/quant_net.h"
#include "tests/tools/random_weights.h"

#include <stdlib.h>
#include <string.h>

/* ---- Networks ---- */

static const QuantCase quantised = {"uniform_static", {"net.width=6"}, 1, true, ""};

static void ship_codes(const char *file, ShippedOptions options)
{
    QuantNet net;
    quant_net_open(&net, &quantised);
    random_checkpoint(&net.config, net.params, net.stats, in_folder("weights.ckpt"));
    ck_assert_msg(shipped_write(&net.config, in_folder("weights.ckpt"), file, options),
                  "%s", rt_error());
    quant_net_close(&net);
}

/* ---- Programs ---- */

/* Prints the bits of a network's scores for an image of noise. */
static const char run_text[] =
    "#define RUN(NAME, UPPER, SCORE) \\\n"
    "    do { \\\n"
    "        static uint8_t image[UPPER##_HEIGHT * UPPER##_WIDTH * UPPER##_CHANNELS]; "
    "\\\n"
    "        static int64_t arena[UPPER##_ARENA_BYTES / 8 + 1]; \\\n"
    "        SCORE scores[UPPER##_CLASSES]; \\\n"
    "        for (size_t i = 0; i < sizeof image; i++) \\\n"
    "            image[i] = (uint8_t)(i * i % 251); \\\n"
    "        NAME##_scores(image, arena, scores); \\\n"
    "        for (int k = 0; k < UPPER##_CLASSES; k++) { \\\n"
    "            uint32_t bits; \\\n"
    "            memcpy(&bits, &scores[k], sizeof bits); \\\n"
    "            printf(\"%08lx \", (unsigned long)bits); \\\n"
    "        } \\\n"
    "        printf(\"%s\\n\", NAME##_class_name(1)); \\\n"
    "    } while (0)\n";

static const struct {
    const char *file, *run;
} files[] = {
    {"a.c", "RUN(first, FIRST, float)"},
    {"b.c", "RUN(Second2, SECOND2, float)"},
    {"c.c", "RUN(third, THIRD, float)"},
    {"d.c", "RUN(quant_family, QUANT_FAMILY, int32_t)"},
};
enum { FILES = sizeof files / sizeof *files };

/* What the program main.c in the folder prints; free() it. */
static char *output_of_main(const char *const *compiler)
{
    const char *words[24];
    int count = 0;
    for (; compiler[count]; count++)
        words[count] = compiler[count];
    const char *const rest[] = {
        "-Wall", "-Wextra",         "-pedantic",         "-Werror",
        "-o",    in_folder("main"), in_folder("main.c"), NULL};
    memcpy(words + count, rest, sizeof rest);
    compile_quietly(words);
    ck_assert_int_eq(process_run(NULL, in_folder("said"), NULL,
                                 (const char *const[]){in_folder("main"), NULL}),
                     0);
    return rt_read_file(in_folder("said"), NULL);
}

/* What a program of the files from first to last prints; free() it. */
static char *output_of(int first, int last, const char *const *compiler)
{
    char *text = rt_format("%s", "");
    for (int i = first; i <= last; i++) {
        char *more = rt_format("%s#include \"%s\"\n", text, files[i].file);
        free(text);
        text = more;
    }
    char *main = rt_format("%s#include <stdio.h>\n%sint main(void)\n{\n", text, run_text);
    free(text);
    for (int i = first; i <= last; i++) {
        char *more = rt_format("%s    %s;\n", main, files[i].run);
        free(main);
        main = more;
    }
    text = rt_format("%s    return 0;\n}\n", main);
    write_text(in_folder("main.c"), text);
    free(main);
    free(text);
    return output_of_main(compiler);
}

static const char *const together[][8] = {
    {"gcc", "-std=c99", "-O0", "-march=native", NULL},
    {"g++", "-std=c++11", "-O0", "-march=native", NULL},
    {"g++", "-std=c++11", "-x", "c++", "-O0", "-msse4.1", NULL},
    {"clang++", "-std=c++11", "-x", "c++", "-O0", NULL},
};
enum { TOGETHER = sizeof together / sizeof *together };

static void ship_all(void)
{
    static const char *const none[] = {NULL}, *const wide[] = {"net.normed=true", NULL};
    ship_float("residual", none, 3, in_folder("a.c"), (ShippedOptions){.name = "first"});
    ship_float("residual", none, 4, in_folder("b.c"),
               (ShippedOptions){.name = "Second2"});
    ship_float("words", wide, 5, in_folder("c.c"), (ShippedOptions){.name = "third"});
    ship_codes(in_folder("d.c"), (ShippedOptions){0});
}

/* Two weight sets of one config, another network, and a quantised one. */
START_TEST(files_are_compiled_as_one)
{
    ship_all();
    char *want = rt_format("%s", "");
    for (int i = 0; i < FILES; i++) {
        char *one = output_of(i, i, together[0]), *more = rt_format("%s%s", want, one);
        free(one);
        free(want);
        want = more;
    }
    for (int i = 0; i < TOGETHER; i++) {
        if (!program_installed(together[i][0])) {
            printf("skipped: no %s\n", together[i][0]);
            continue;
        }
        char *got = output_of(0, FILES - 1, together[i]);
        ck_assert_str_eq(got, want);
        free(got);
    }
    ck_assert_str_ne(want, "");
    free(want);
}
END_TEST

/* ---- Images ---- */

/* Images of values that 5 and 6 bits can say, as bytes and in the other forms, one by
 * one and as a batch that is no multiple of three; prints how many scores differ. */
static const char images_text[] =
    "#include <stdio.h>\n"
    "enum { COUNT = 7, SIDES = PLAIN_HEIGHT * PLAIN_WIDTH, ALL = COUNT * SIDES };\n"
    "static uint8_t bytes[3 * ALL];\n"
    "static int8_t less[3 * ALL];\n"
    "static uint16_t packed[ALL];\n"
    "static int64_t arena[3 * PLAIN_ARENA_BYTES / 8 + 1];\n"
    "static SCORE want[COUNT][PLAIN_CLASSES], got[4][COUNT][PLAIN_CLASSES];\n"
    "int main(void)\n"
    "{\n"
    "    for (unsigned i = 0, seed = 1; i < ALL; i++) {\n"
    "        seed = seed * 1664525 + 1013904223;\n"
    "        packed[i] = (uint16_t)(seed >> 16);\n"
    "        const int r = packed[i] >> 11, g = packed[i] >> 5 & 63, b = packed[i] & "
    "31;\n"
    "        bytes[3 * i] = (uint8_t)(r << 3 | r >> 2);\n"
    "        bytes[3 * i + 1] = (uint8_t)(g << 2 | g >> 4);\n"
    "        bytes[3 * i + 2] = (uint8_t)(b << 3 | b >> 2);\n"
    "    }\n"
    "    for (int i = 0; i < 3 * ALL; i++)\n"
    "        less[i] = (int8_t)(bytes[i] - 128);\n"
    "    for (int n = 0; n < COUNT; n++) {\n"
    "        plain_scores(bytes + 3 * SIDES * n, arena, want[n]);\n"
    "        less_scores(less + 3 * SIDES * n, arena, got[0][n]);\n"
    "        packed_scores(packed + SIDES * n, arena, got[1][n]);\n"
    "    }\n"
    "    plain_batch(bytes, COUNT, arena, got[2][0]);\n"
    "    packed_batch(packed, COUNT, arena, got[3][0]);\n"
    "    for (int i = 0; i < 4; i++)\n"
    "        if (memcmp(want, got[i], sizeof want) != 0)\n"
    "            printf(\"%d differs\\n\", i);\n"
    "    puts(memcmp(want[0], want[1], sizeof want[0]) ? \"done\" : \"all the same\");\n"
    "    return 0;\n"
    "}\n";

static void ship_images(bool codes)
{
    static const ShippedOptions options[] = {
        {.name = "plain", .batch = 3},
        {.name = "less", .input = "int8"},
        {.name = "packed", .input = "rgb565", .batch = 3}};
    static const char *const sets[] = {NULL};
    for (int i = 0; i < 3; i++) {
        char *file = rt_format("%s.c", in_folder(options[i].name));
        if (codes)
            ship_codes(file, options[i]);
        else
            ship_float("residual", sets, 3, file, options[i]);
        free(file);
    }
}

/* Every form of images gives the scores of bytes, to the bit. */
START_TEST(images_of_any_form_score_alike)
{
    static const char *const compilers[][6] = {
        {"gcc", "-std=c99", "-O1", "-march=native", NULL},
        {"g++", "-std=c++11", "-O0", "-msse4.1", NULL}};
    ship_images(_i / 2);
    char *text = rt_format("#include \"plain.c\"\n#include \"less.c\"\n"
                           "#include \"packed.c\"\n#define SCORE %s\n%s",
                           _i / 2 ? "int32_t" : "float", images_text);
    write_text(in_folder("main.c"), text);
    free(text);
    char *said = output_of_main(compilers[_i % 2]);
    ck_assert_str_eq(said, "done\n");
    free(said);
}
END_TEST

/* ---- Weights outside the address space ---- */

/* Layers of several blocks of channels and of one, packed and not, a projection that runs
 * within another layer; and floats. */
static void ship_fetched(bool codes, const char *file, ShippedOptions options)
{
    static const char *const sets[] = {NULL};
    static const QuantCase wide = {
        "uniform_static", {"net.width=32", "net.shortcut='B'"}, 1, true, ""};
    if (!codes) {
        ship_float("residual", sets, 3, file, options);
        return;
    }
    QuantNet net;
    quant_net_open(&net, &wide);
    random_checkpoint(&net.config, net.params, net.stats, in_folder("weights.ckpt"));
    ck_assert_msg(shipped_write(&net.config, in_folder("weights.ckpt"), file, options),
                  "%s", rt_error());
    quant_net_close(&net);
}

/* Those that are fetched give the scores of constants, and all of them are. */
START_TEST(fetched_weights_score_alike)
{
    static const char *const compiler[] = {"gcc", "-std=c99", "-O1", "-march=native",
                                           NULL};
    ship_fetched(_i, in_folder("plain.c"), (ShippedOptions){.name = "plain"});
    ship_fetched(_i, in_folder("away.c"),
                 (ShippedOptions){.name = "away", .fetch = true});
    const char *type = _i ? "int32_t" : "float";
    char *text = rt_format(
        "#define LATHE_FETCH_FILE \"%s\"\n#include \"plain.c\"\n#include \"away.c\"\n"
        "%sint main(void)\n{\n    RUN(plain, PLAIN, %s);\n    RUN(away, AWAY, %s);\n"
        "    printf(\"%%d\\n\", AWAY_WEIGHT_BYTES);\n    return 0;\n}\n",
        in_folder("away_weights.bin"), run_text, type, type);
    write_text(in_folder("main.c"), text);
    free(text);
    char *said = output_of_main(compiler);
    char *rest = said, *want = strsep(&rest, "\n"), *got = strsep(&rest, "\n");
    ck_assert_str_eq(got, want);
    size_t bytes;
    free(rt_read_file(in_folder("away_weights.bin"), &bytes));
    ck_assert_int_eq(strtol(rest, NULL, 10), bytes);
    ck_assert_uint_gt(bytes, 0);
    free(said);
}
END_TEST

/* ---- Weights that are prepared ---- */

/* Transformed, where this machine has vectors for it, and unpacked alone; and floats. */
static const struct {
    const char *config, *sets[5];
} prepared[] = {
    {"quant_family",
     {"net.width=16", "net.side=16",
      "quant={ quantizer='uniform_static', w_bits=4, a_bits=4, winograd='always', "
      "layers={{'b1_b', w_bits=8}} }"}},
    {"quant_family",
     {"net.width=64", "net.growth=1",
      "quant={ quantizer='uniform_static', w_bits=3, a_bits=4, winograd='never' }"}},
    {"winograd",
     {"quant={ quantizer='none' }", "net.height=16", "net.channels=16", "net.out=48"}},
};
enum { PREPARED = sizeof prepared / sizeof *prepared };

static void ship_prepared(int net, const char *file, ShippedOptions options)
{
    if (strcmp(prepared[net].config, "winograd") == 0) {
        ship_float("winograd", prepared[net].sets, 3, file, options);
        return;
    }
    QuantNet codes;
    quant_net_open_other(&codes, prepared[net].config, prepared[net].sets);
    random_checkpoint(&codes.config, codes.params, codes.stats,
                      in_folder("weights.ckpt"));
    ck_assert_msg(shipped_write(&codes.config, in_folder("weights.ckpt"), file, options),
                  "%s", rt_error());
    quant_net_close(&codes);
}

/* Once, then image after image in one arena: the scores of weights that are constants,
 * transformed when the file was made where those of floats are, too. */
START_TEST(prepared_weights_score_alike)
{
    static const char *const compilers[][8] = {
        {"gcc", "-std=c99", "-O1", "-march=native", NULL},
        {"g++", "-std=c++11", "-x", "c++", "-O0", "-march=x86-64-v3", NULL},
        {"gcc", "-std=c99", "-O1", NULL}};
    const int net = _i / 3;
    if (_i % 3 == 1 && !machine_runs("avx2"))
        return;
    ship_prepared(net, in_folder("plain.c"), (ShippedOptions){.name = "plain"});
    ship_prepared(net, in_folder("ready.c"),
                  (ShippedOptions){.name = "ready", .prepare = true});
    const char *type = net < 2 ? "int32_t" : "float";
    char *text = rt_format(
        "#include \"plain.c\"\n#include \"ready.c\"\n#include <stdio.h>\n%s"
        "#define ready_scores(image, arena, scores) \\\n"
        "    (ready_prepare(arena), (ready_scores)(image, arena, scores), \\\n"
        "     (ready_scores)(image, arena, scores))\n"
        "int main(void)\n{\n    RUN(plain, PLAIN, %s);\n    RUN(ready, READY, %s);\n"
        "    return 0;\n}\n",
        run_text, type, type);
    write_text(in_folder("main.c"), text);
    free(text);
    char *said = output_of_main(compilers[_i % 3]);
    char *rest = said, *want = strsep(&rest, "\n"), *got = strsep(&rest, "\n");
    if (net < 2)
        ck_assert_str_eq(got, want);
    for (int i = 0; net == 2 && i < 4; i++) {
        float a, b;
        uint32_t words[] = {(uint32_t)strtoul(want, &want, 16),
                            (uint32_t)strtoul(got, &got, 16)};
        memcpy(&a, &words[0], sizeof a);
        memcpy(&b, &words[1], sizeof b);
        ck_assert_float_eq_tol(a, b, 1e-4f);
    }
    free(said);
}
END_TEST

START_TEST(preparing_goes_alone)
{
    static const struct {
        ShippedOptions options;
        const char *error;
    } wrong[] = {
        {{.prepare = true, .fetch = true}, "--prepare: goes without --fetch"},
        {{.prepare = true, .batch = 4}, "--prepare: goes without --batch"},
        {{.prepare = true, .project = "cmake"}, "--prepare: goes without --project"},
    };
    Config config = {0};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        ck_assert(!shipped_write(&config, "none", in_folder("a.c"), wrong[i].options));
        ck_assert_str_eq(rt_error(), wrong[i].error);
        rt_error_clear();
    }
}
END_TEST

/* The self-test has the same images in signed bytes. */
START_TEST(the_self_test_passes_with_signed_images)
{
    static const char *const compiler[] = {"gcc", "-std=c99", "-O0", "-DLATHE_SELFTEST",
                                           NULL};
    ship_codes(in_folder("main.c"),
               (ShippedOptions){.input = "int8", .selftest = selftest_make});
    char *said = output_of_main(compiler);
    ck_assert_str_eq(said, "passed: 0 of 15 scores differ\n");
    free(said);
}
END_TEST

/* Where a target has layers of its own, their arena is looked at, too. */
START_TEST(a_budget_is_of_every_target_or_of_one)
{
    static const char *const sets[] = {
        "net.width=32", "net.side=16",
        "quant={ quantizer='uniform_static', w_bits=4, a_bits=4, winograd='always' }",
        NULL};
    QuantNet net;
    quant_net_open_other(&net, "quant_family", sets);
    random_checkpoint(&net.config, net.params, net.stats, in_folder("weights.ckpt"));
    ShippedNets shipped;
    ck_assert(shipped_compile(&net.config, NULL, WEIGHTS_CONSTANT, &shipped));
    const Net *own = &shipped.variants[0].net,
              *last = &shipped.variants[shipped.count - 1].net;
    ck_assert(shipped.variants[0].program == 0 && own->arena_bytes > last->arena_bytes);
    ShippedOptions options = {.arena_budget = last->arena_bytes};
    ck_assert(!shipped_write(&net.config, in_folder("weights.ckpt"), in_folder("file.c"),
                             options));
    char *want = rt_format("--arena-budget %ld: the arena takes %ld bytes for vnni; most "
                           "of it, ",
                           last->arena_bytes, own->arena_bytes);
    ck_assert_msg(strncmp(rt_error(), want, strlen(want)) == 0, "%s", rt_error());
    ck_assert_ptr_nonnull(strstr(rt_error(), "; --target looks at another alone"));
    rt_error_clear();
    options.budget_target = target_find("dsp");
    ck_assert_msg(shipped_write(&net.config, in_folder("weights.ckpt"),
                                in_folder("file.c"), options),
                  "%s", rt_error());
    free(want);
    shipped_free(&shipped);
    quant_net_close(&net);
}
END_TEST

/* Kernels for boards are C++ as well. */
START_TEST(boards_compilers_take_it_as_cpp)
{
    static const char *const cpus[] = {"-mcpu=cortex-m3", "-mcpu=cortex-m55"};
    if (!program_installed("arm-none-eabi-g++")) {
        puts("skipped: no arm-none-eabi-g++");
        return;
    }
    ship_codes(in_folder("main.c"), (ShippedOptions){.name = "board"});
    for (int i = 0; i < 2; i++)
        compile_quietly((const char *const[]){
            "arm-none-eabi-g++", "-std=c++11", "-x", "c++", "-O1", "-mthumb", cpus[i],
            i ? "-mfloat-abi=hard" : "-mfloat-abi=soft", "-Wall", "-Wextra", "-pedantic",
            "-Werror", "-c", "-o", in_folder("main.o"), in_folder("main.c"), NULL});
}
END_TEST

START_TEST(names_are_of_c)
{
    static const char *const wrong[] = {
        "",
        "7up",
        "_x",
        "a-b",
        "naïve",
        "int a",
        "a_name_that_has_more_letters_than_anybody_needs"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        QuantNet net;
        quant_net_open(&net, &quantised);
        random_checkpoint(&net.config, net.params, net.stats, in_folder("weights.ckpt"));
        ck_assert(!shipped_write(&net.config, in_folder("weights.ckpt"),
                                 in_folder("file.c"),
                                 (ShippedOptions){.name = wrong[i]}));
        ck_assert_msg(strstr(rt_error(), ": want letters, digits and _, a letter first, "
                                         "at most 40: C names begin with it"),
                      "%s", rt_error());
        rt_error_clear();
        quant_net_close(&net);
    }
}
END_TEST

Suite *emit_options_suite(void)
{
    TCase *tests = tcase_create("emit_options");
    tcase_add_checked_fixture(tests, folder_make, folder_remove);
    tcase_set_timeout(tests, 400);
    tcase_add_test(tests, files_are_compiled_as_one);
    tcase_add_loop_test(tests, images_of_any_form_score_alike, 0, 4);
    tcase_add_loop_test(tests, fetched_weights_score_alike, 0, 2);
    tcase_add_loop_test(tests, prepared_weights_score_alike, 0, 3 * PREPARED);
    tcase_add_test(tests, preparing_goes_alone);
    tcase_add_test(tests, the_self_test_passes_with_signed_images);
    tcase_add_test(tests, a_budget_is_of_every_target_or_of_one);
    tcase_add_test(tests, boards_compilers_take_it_as_cpp);
    tcase_add_test(tests, names_are_of_c);
    Suite *suite = suite_create("emit_options");
    suite_add_tcase(suite, tests);
    return suite;
}
