/* From real multipliers to integers: the shift is the largest that fits, nothing
 * overflows at either end of the sums, what cannot fit is refused; and every vector width
 * rescales alike. */
#include "tests/suites.h"

#include "gen/base/paths.h"
#include "runtime/base/support.h"
#include "runtime/kernels/quant.h"
#include "tests/tools/built_net.h"
#include "tests/tools/folder.h"
#include "tests/tools/process.h"
#include "tests/tools/quant_shipped.h"
#include "tests/tools/random_weights.h"

#include <dlfcn.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

__extension__ typedef __int128 Wide;

enum { K = 6 };

typedef struct {
    double gain[K], offset[K], other[K];
    RtReal real;
    int64_t b[K];
    int32_t m[K], r[K];
    RtRequant requant;
} Layer;

/* Numbers about 10^gain and 10^offset, of either sign, over some decades. */
static void layer_draw(Layer *l, double gain, double offset, double most,
                       double most_other)
{
    for (int k = 0; k < K; k++) {
        l->gain[k] =
            pow(10, gain - 1.5 * fabs(random_unit())) * (random_unit() < 0 ? -1 : 1);
        l->offset[k] = pow(10, offset) * random_unit();
        l->other[k] = most_other > 0 ? l->gain[k] * 3 * random_unit() : 0;
    }
    l->real = (RtReal){l->gain, l->offset, l->other, most, most_other};
    l->requant = (RtRequant){.b = l->b, .m = l->m, .r = most_other > 0 ? l->r : NULL};
}

static double size(double x, int shift)
{
    return fabs(ldexp(x, shift));
}

/* Most that a sum can come to, in exact numbers. */
static double most_sum(const Layer *l, int k, int shift)
{
    return size(l->gain[k], shift) * l->real.most_acc +
           size(l->other[k], shift) * l->real.most_other + size(l->offset[k], shift) +
           ldexp(1, shift - 1);
}

/* Whether a shift one larger would still have done, with a bit to spare. */
static bool could_be_larger(const Layer *l, int shift)
{
    bool could = shift + 1 <= 62;
    for (int k = 0; k < K; k++)
        could = could && size(l->gain[k], shift + 1) < 2147483646 &&
                size(l->other[k], shift + 1) < 2147483646 &&
                most_sum(l, k, shift + 2) < ldexp(1, 62);
    return could;
}

static void check_fits(const Layer *l)
{
    int shift = l->requant.shift;
    for (int k = 0; k < K; k++) {
        Wide r = l->requant.r ? l->r[k] : 0;
        for (int side = 0; side < 4; side++) {
            Wide sum =
                (Wide)l->m[k] *
                    (int64_t)(side & 1 ? l->real.most_acc : -l->real.most_acc) +
                r * (int64_t)(side & 2 ? l->real.most_other : -l->real.most_other) +
                l->b[k];
            ck_assert(sum > INT64_MIN && sum < INT64_MAX);
            Wide code = sum >> shift;
            ck_assert(code >= INT32_MIN && code <= INT32_MAX);
        }
        ck_assert_double_le(fabs(l->m[k] - ldexp(l->gain[k], shift)), 0.5);
        ck_assert_double_le(fabs((double)r - ldexp(l->other[k], shift)), 0.5);
        long double want = ldexpl(l->offset[k], shift) + ldexpl(1, shift - 1);
        ck_assert(fabsl(l->b[k] - want) <= 0.5);
    }
}

/* Gains from what saturates 32 bits to what vanishes, with offsets from none to huge. */
START_TEST(the_largest_shift_that_fits)
{
    int derived = 0, refused = 0;
    random_seed(77);
    for (int i = 0; i < 4000; i++) {
        Layer l;
        double most = floor(pow(2, 5 + 13 * (1 + random_unit())));
        double most_other = i % 3 == 0 ? 0 : i % 3 == 1 ? 255 : most * 1.5;
        layer_draw(&l, -6 + 9 * random_unit(), 2 + 8 * random_unit(), most, most_other);
        if (i % 7 == 0)
            l.gain[i % K] = l.offset[i % K] = 0;
        double largest = 0;
        for (int k = 0; k < K; k++)
            largest = fmax(largest, ldexp(most_sum(&l, k, 40), -40));
        if (!rt_requant_derive(K, &l.real, 255, &l.requant)) {
            refused++;
            ck_assert_double_gt(largest, 2147483647.0 / 2); /* or nothing forbids it */
            continue;
        }
        derived++;
        ck_assert_int_eq(l.requant.largest, 255);
        ck_assert_int_ge(l.requant.shift, 1);
        ck_assert_int_le(l.requant.shift, 62);
        check_fits(&l);
        ck_assert_msg(!could_be_larger(&l, l.requant.shift) || largest > 2147483647.0 / 2,
                      "shift %d", l.requant.shift);
    }
    ck_assert_int_gt(derived, 2000);
    ck_assert_int_gt(refused, 100);
}
END_TEST

START_TEST(what_cannot_fit_is_refused)
{
    static const double gains[] = {1.1e9, -1.1e9, INFINITY, NAN, 1e300};
    Layer l;
    for (int i = 0; i < 5; i++) {
        layer_draw(&l, -3, 0, 100, 0);
        l.gain[3] = gains[i];
        ck_assert(!rt_requant_derive(K, &l.real, 15, &l.requant));
        layer_draw(&l, -3, 0, 100, 0);
        l.offset[K - 1] = i < 2 ? gains[i] * 4e9 : gains[i];
        ck_assert(!rt_requant_derive(K, &l.real, 15, &l.requant));
    }
    layer_draw(&l, -3, 0, 100, 0);
    for (int k = 0; k < K; k++)
        l.gain[k] = l.offset[k] = l.other[k] = 0; /* nothing but the rounding half */
    ck_assert(rt_requant_derive(K, &l.real, 15, &l.requant));
    check_fits(&l);
}
END_TEST

/* The formula with a step, scales, an affine that turns, and codes added: y = round to
 * nearest of the real value, for every sum. */
START_TEST(layers_round_real_values)
{
    enum { CHANNELS = 2 };
    const float scales[4] = {0.031f, 0.007f, -200, 35},
                coef[4] = {-1.7f, 0.9f, 6.5f, -0.25f};
    const double in = 0.011, other_step = 0.063, out = 0.05;
    int64_t b[CHANNELS];
    int32_t m[CHANNELS], r[CHANNELS], shift[2];
    const RtSum sum = {scales, coef, in, 27 * 255 * 127, 0},
                other = {NULL, NULL, other_step, 255, 0};
    ck_assert(rt_layer_constants(CHANNELS, &sum, &other, out, 0, 0, 63, b, m, r, shift));
    ck_assert_int_eq(shift[1], 63);
    for (int k = 0; k < CHANNELS; k++)
        for (int acc = -27 * 255 * 127; acc < 27 * 255 * 127; acc += 977)
            for (int code = 0; code < 256; code += 85) {
                double value = ((acc + (double)scales[2 + k]) * in * scales[k] * coef[k] +
                                coef[2 + k] + code * other_step) /
                               out;
                int64_t got =
                    ((int64_t)acc * m[k] + (int64_t)code * r[k] + b[k]) >> shift[0];
                if (fabs(value - floor(value) - 0.5) > 1e-3)
                    ck_assert_int_eq(got, llrint(value));
            }
    const float wild[4] = {1e30f, 0.007f, -200, 35};
    const RtSum refused = {wild, coef, in, 27 * 255 * 127, 0};
    rt_error_clear();
    ck_assert(
        !rt_layer_constants(CHANNELS, &refused, NULL, out, 0, 0, 63, b, m, NULL, shift));
    ck_assert_str_eq(rt_error(),
                     "scales differ so much that its integer constants overflow "
                     "64 bits");
    rt_error_clear();
}
END_TEST

/* Of a leaky ReLU, value and slope times value: the larger one is it, in codes of both
 * signs. */
START_TEST(a_leaky_layer_has_constants_for_both_sides)
{
    enum { CHANNELS = 2, MOST = 9 * 255 * 127, ZERO = 23 };
    const float scales[4] = {0.031f, 0.007f, -200, 35},
                coef[4] = {-1.7f, 0.9f, 6.5f, -0.25f};
    const double in = 0.011, other_step = 0.063, out = 0.05, slope = 0.1;
    int64_t b[2 * CHANNELS];
    int32_t m[2 * CHANNELS], r[2 * CHANNELS], shift[2], below = 0, above = 0;
    const RtSum sum = {scales, coef, in, MOST, 0},
                other = {NULL, NULL, other_step, 255, 0};
    ck_assert(rt_layer_constants(CHANNELS, &sum, &other, out, ZERO, slope, 255, b, m, r,
                                 shift));
    for (int k = 0; k < CHANNELS; k++)
        for (int acc = -MOST; acc < MOST; acc += 97)
            for (int code = 0; code < 256; code += 85) {
                double v = ((acc + (double)scales[2 + k]) * in * scales[k] * coef[k] +
                            coef[2 + k] + code * other_step) /
                           out;
                double value = (v > 0 ? v : slope * v) + ZERO;
                int64_t sums[2];
                for (int side = 0; side < 2; side++)
                    sums[side] = (int64_t)acc * m[side * CHANNELS + k] +
                                 (int64_t)code * r[side * CHANNELS + k] +
                                 b[side * CHANNELS + k];
                int64_t got = (sums[0] > sums[1] ? sums[0] : sums[1]) >> shift[0];
                if (fabs(value - floor(value) - 0.5) > 1e-3)
                    ck_assert_int_eq(got, llrint(value));
                below += v < -5;
                above += v > 5;
            }
    ck_assert(below > 1000 && above > 1000);
}
END_TEST

/* A dead channel, whose variance is 0, is no reason to refuse a network: its affine is
 * 316 times the scale. Sums of ResNet-18's last layers at 4 bits. */
START_TEST(a_dead_channel_is_no_overflow)
{
    const float scales[2] = {0.05f, 0};
    const float coef[2] = {(float)(1 / sqrt(1e-5)), 0};
    int64_t b;
    int32_t m, shift[2];
    const RtSum sum = {scales, coef, 0.17, 4608.0 * 15 * 7, 0};
    ck_assert(rt_layer_constants(1, &sum, NULL, 0.17, 0, 0, 15, &b, &m, NULL, shift));
    ck_assert_double_eq_tol(ldexp(m, -shift[0]), 0.05 / sqrt(1e-5), 1e-6);
}
END_TEST

/* The dense layer's sums and bias together fit 32 bits, or are refused. */
START_TEST(scores_fit_their_type)
{
    const float scales[2] = {0.5f, 0.5f}, bias[2] = {1e6f, -3.25e6f};
    const double step = 0.01; /* of the sum of 4 codes: a unit is 0.01 * 0.5 / 4 */
    const double unit = 0.01 * 0.5 / 4, left = 2147483647.0 - rint(3.25e6 / unit);
    int32_t ibias[2];
    float scale;
    ck_assert(left < 0);
    const float small[2] = {1, -2.5e6f};
    double room = 2147483647.0 - rint(2.5e6 / unit);
    ck_assert(rt_dense_constants(2, scales, small, step, 4, room, ibias, NULL, &scale));
    ck_assert_int_eq(ibias[0], 800);
    ck_assert_int_eq(ibias[1], -2000000000);
    ck_assert_double_eq_tol(scale, unit, 1e-9);
    rt_error_clear();
    ck_assert(
        !rt_dense_constants(2, scales, small, step, 4, room + 1, ibias, NULL, &scale));
    ck_assert_str_eq(rt_error(),
                     "score 1: bias -2.5e+06, -2e+09 in units of its weights, and "
                     "sums of up to 1.475e+08 overflow 32 bits");
    rt_error_clear();
    ck_assert(!rt_dense_constants(2, scales, bias, step, 4, 0, ibias, NULL, &scale));
    rt_error_clear();
    int64_t wide[2];
    ck_assert(rt_dense_constants(2, scales, bias, step, 4, 1e18, NULL, wide, &scale));
    ck_assert_int_eq(wide[1], (int64_t)rint(-3.25e6 / unit));
    ck_assert(!rt_dense_constants(2, scales, bias, step, 4, 5e18, NULL, wide, &scale));
    rt_error_clear();
    ck_assert(!rt_dense_constants(2, scales, (const float[]){NAN, 0}, step, 4, 0, ibias,
                                  NULL, &scale));
    rt_error_clear();
}
END_TEST

/* ---- Rescaling, in every width ---- */

typedef void Rescale(const int32_t *sum, const int32_t *other, const int64_t *b,
                     const int32_t *m, const int32_t *r, int shift, int32_t largest,
                     uint8_t *y);
typedef void Dot(int32_t *sum, const uint8_t *x, const uint32_t *w);

static void *load_dots(const Target *target, Rescale **rescale, Dot **dot)
{
    char *source = rt_format(
        "#include <stdint.h>\n#include <string.h>\n"
        "#include \"runtime/kernels/vectors.h\"\n"
        "#include \"runtime/kernels/dots_plain.h\"\n#if %d\n"
        "#include \"runtime/kernels/dots_%s.h\"\n#endif\n"
        "#define JOIN(name, lanes) name##lanes\n#define WIDE(name) JOIN(name, %d)\n"
        "void rescale(const int32_t *sum, const int32_t *other, const int64_t *b,\n"
        "             const int32_t *m, const int32_t *r, int shift, int32_t largest,\n"
        "             uint8_t *y)\n{\n"
        "    WIDE(i) s, o;\n    memcpy(&s, sum, sizeof s);\n"
        "    memcpy(&o, other, sizeof o);\n"
        "    if (r)\n        WIDE(requantise_i)(s, o, b, m, r, shift, largest, y);\n"
        "    else\n        WIDE(requantise_i)(s, o, b, m, NULL, shift, largest, y);\n}\n"
        "void dot(int32_t *sum, const uint8_t *x, const uint32_t *w)\n{\n"
        "    WIDE(i) s, v;\n    memcpy(&s, sum, sizeof s);\n"
        "    memcpy(&v, w, sizeof v);\n"
        "    s = WIDE(dot_i)(s, x, v);\n    memcpy(sum, &s, sizeof s);\n}\n",
        target->integer_lanes > 1, target->dots, target->integer_lanes);
    char *object = rt_format("%s.so", in_folder(target->name));
    write_text(in_folder("dots.c"), source);
    char *runtime = rt_format("-I%s", lathe_root());
    const char *words[24] = {"gcc",
                             "-std=gnu11",
                             "-Wall",
                             "-Wextra",
                             "-Wpedantic",
                             "-Werror",
                             "-O2",
                             "-shared",
                             "-fPIC",
                             runtime,
                             "-o",
                             object,
                             in_folder("dots.c")};
    char *flags = rt_format("%s", target->cflags), *rest = flags;
    int count = 13;
    for (char *flag; (flag = strsep(&rest, " "));)
        if (*flag)
            words[count++] = flag;
    compile_quietly(words);
    void *library = dlopen(object, RTLD_NOW | RTLD_LOCAL);
    ck_assert_msg(library != NULL, "%s", dlerror());
    *(void **)rescale = dlsym(library, "rescale");
    *(void **)dot = dlsym(library, "dot");
    free(source);
    free(object);
    free(runtime);
    free(flags);
    return library;
}

static int64_t whole(double most)
{
    return (int64_t)(most * random_unit());
}

/* Sums whose rescaling stays within 31 bits, as derived constants see to it. */
static void check_rescale(Rescale *rescale, int lanes)
{
    for (int i = 0; i < 20000; i++) {
        int32_t sum[16], other[16], m[16], r[16], shift = 1 + i % 61;
        int64_t b[16];
        int32_t largest = (1 << i % 9) - 1;
        uint8_t y[17] = {[16] = 77};
        bool adds = i % 2;
        /* 2^16 codes at most, so that the clamp has work on both sides */
        double room = fmin(ldexp(1, shift + 9 + i % 8), ldexp(1, 61));
        for (int l = 0; l < lanes; l++) {
            m[l] = (int32_t)whole(2147483647);
            r[l] = (int32_t)whole(2147483647);
            sum[l] =
                (int32_t)whole(fmin(room / 4 / (fabs((double)m[l]) + 1), 2147483647.0));
            other[l] =
                (int32_t)whole(fmin(room / 4 / (fabs((double)r[l]) + 1), 2147483647.0));
            b[l] = whole(room / 2);
        }
        y[lanes] = 77;
        rescale(sum, other, b, m, adds ? r : NULL, shift, largest, y);
        for (int l = 0; l < lanes; l++) {
            Wide value =
                ((Wide)sum[l] * m[l] + (adds ? (Wide)other[l] * r[l] : 0) + b[l]) >>
                shift;
            ck_assert_int_eq(y[l], value < 0         ? 0
                                   : value > largest ? largest
                                                     : (int)value);
        }
        ck_assert_int_eq(y[lanes], 77);
    }
}

/* Four products at a time, at the ends of their ranges: nothing saturates. */
static void check_dot(Dot *dot, int lanes)
{
    for (int i = 0; i < 5000; i++) {
        uint8_t x[4];
        int32_t sum[16], want[16];
        uint32_t w[16];
        for (int c = 0; c < 4; c++)
            x[c] = i % 3 == 0 ? 255 : (uint8_t)whole(255.9);
        for (int l = 0; l < lanes; l++) {
            want[l] = sum[l] = (int32_t)whole(2e9);
            w[l] = 0;
            for (int c = 0; c < 4; c++) {
                int code = i % 5 == 0 ? (l % 2 ? -127 : 127) : (int)whole(127.9);
                want[l] += x[c] * code;
                w[l] |= (uint32_t)(code & 255) << 8 * c;
            }
        }
        dot(sum, x, w);
        ck_assert_mem_eq(sum, want, lanes * sizeof *sum);
    }
}

START_TEST(every_width_rescales_alike)
{
    Rescale *rescale;
    Dot *dot;
    const Target *target = &target_table[_i];
    if (!target_runs(target)) {
        printf("skipped: this machine does not run %s\n", target->name);
        return;
    }
    void *library = load_dots(target, &rescale, &dot);
    random_seed(5);
    check_rescale(rescale, target->integer_lanes);
    check_dot(dot, target->integer_lanes);
    dlclose(library);
}
END_TEST

Suite *quant_requant_suite(void)
{
    TCase *tests = tcase_create("quant_requant");
    tcase_add_checked_fixture(tests, folder_make, folder_remove);
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, the_largest_shift_that_fits);
    tcase_add_test(tests, what_cannot_fit_is_refused);
    tcase_add_test(tests, layers_round_real_values);
    tcase_add_test(tests, a_leaky_layer_has_constants_for_both_sides);
    tcase_add_test(tests, a_dead_channel_is_no_overflow);
    tcase_add_test(tests, scores_fit_their_type);
    tcase_add_loop_test(tests, every_width_rescales_alike, 0, TARGET_COUNT);
    Suite *suite = suite_create("quant_requant");
    suite_add_tcase(suite, tests);
    return suite;
}
