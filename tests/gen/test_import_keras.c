/* Keras models, .h5: a small one written by the HDF5 library gives a network's arrays
 * what it computes; one that lies, lacks something or is damaged gives an error. */
#include "tests/suites.h"

#include "gen/weights/hdf5_file.h"
#include "gen/weights/import_keras.h"
#include "runtime/base/random.h"
#include "runtime/base/support.h"
#include "tests/tools/folder.h"

#include <hdf5.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- The network: two convolutions of one shape, a projection, a dense layer ---- */

enum { K = 2, ARRAYS = 17 };
static Param params[ARRAYS];
static KerasPlace places[ARRAYS];
static int count;

static void place(const char *layer, const char *array, ParamKind kind,
                  const char *kernel, int rank, const int *shape)
{
    Param *param = &params[count];
    *param = (Param){
        .name = rt_format("%s.%s", layer, array), .kind = kind, .rank = rank, .count = 1};
    for (int i = 0; i < rank; i++) {
        param->shape[i] = shape[i];
        param->count *= (size_t)shape[i];
    }
    places[count] = (KerasPlace){param, layer, kernel, 1e-5};
    count++;
}

static void place_norm(const char *layer, const char *kernel)
{
    const int shape[] = {K};
    place(layer, "scale", PARAM_BN_SCALE, kernel, 1, shape);
    place(layer, "shift", PARAM_BN_SHIFT, kernel, 1, shape);
    place(layer, "mean", PARAM_BN_MEAN, kernel, 1, shape);
    place(layer, "var", PARAM_BN_VAR, kernel, 1, shape);
}

static const int conv_shape[] = {1, 3, K, K}, proj_shape[] = {1, 1, K, K},
                 fc_shape[] = {K, 3}, fc_bias[] = {3};

static void forget_network(void)
{
    while (count > 0)
        free((char *)params[--count].name);
}

static void make_network(void)
{
    place("a", "weight", PARAM_CONV, "a.weight", 4, conv_shape);
    place_norm("a_bn", "a.weight");
    place("b", "weight", PARAM_CONV, "b.weight", 4, conv_shape);
    place_norm("b_bn", "b.weight");
    place("p", "weight", PARAM_CONV, "p.weight", 4, proj_shape);
    place_norm("p_bn", "p.weight");
    place("fc", "weight", PARAM_DENSE, "fc.weight", 2, fc_shape);
    place("fc", "bias", PARAM_BIAS, "fc.weight", 1, fc_bias);
    ck_assert_int_eq(count, ARRAYS);
}

static const float *values_of(const Checkpoint *got, const char *name)
{
    const Array *array = checkpoint_find(got, "", name);
    ck_assert_msg(array != NULL, "no %s", name);
    return array->values;
}

/* ---- The file ---- */

static const char model[] =
    "{'class_name': 'Functional', 'config': {'name': 'm', 'layers': ["
    "{'class_name': 'InputLayer', 'config': {'name': 'input_1'}, 'inbound_nodes': []},"
    "{'class_name': 'Conv2D', 'config': {'name': 'conv2d_7'},"
    " 'inbound_nodes': [[['input_1', 0, 0, {}]]]},"
    "{'class_name': 'BatchNormalization', 'config': {'name': 'bn', 'epsilon': 0.25},"
    " 'inbound_nodes': [[['conv2d_7', 0, 0, {}]]]},"
    "{'class_name': 'Activation', 'config': {'name': 'relu'},"
    " 'inbound_nodes': [[['bn', 0, 0, {}]]]},"
    "{'class_name': 'Conv2D', 'config': {'name': 'conv2d_9'},"
    " 'inbound_nodes': [[['relu', 0, 0, {}]]]},"
    "{'class_name': 'Conv2D', 'config': {'name': 'conv2d_8'},"
    " 'inbound_nodes': [[['relu', 0, 0, {}]]]},"
    "{'class_name': 'BatchNormalization', 'config': {'name': 'bn_1', 'epsilon': 1e-6},"
    " 'inbound_nodes': [{'args': [{'class_name': '__keras_tensor__', 'config':"
    " {'shape': [2], 'keras_history': ['conv2d_9', 0, 0]}}], 'kwargs': {}}]},"
    "{'class_name': 'Add', 'config': {'name': 'add'},"
    " 'inbound_nodes': [[['bn_1', 0, 0, {}], ['conv2d_8', 0, 0, {}]]]},"
    "{'class_name': 'Dense', 'config': {'name': 'out'},"
    " 'inbound_nodes': [[['add', 0, 0, {}]]]}]}}";

static hid_t file, folder;

static float number(const char *name, size_t i)
{
    uint64_t key = strlen(name) + 31 * (uint64_t)name[strlen(name) / 2];
    return (float)random_between(key, i, 0.1, 1);
}

/* LAYER/LAYER/ARRAY:0, as Keras has it. */
static void put_with(const char *layer, const char *array, hid_t type, int rank,
                     const int *shape)
{
    hsize_t sizes[4];
    size_t length = 1;
    for (int i = 0; i < rank; i++)
        length *= (size_t)(sizes[i] = (hsize_t)shape[i]);
    char *name = rt_format("%s/%s/%s:0", layer, layer, array);
    float *values = rt_alloc(length * sizeof *values);
    for (size_t i = 0; i < length; i++)
        values[i] = number(name, i);
    hid_t links = H5Pcreate(H5P_LINK_CREATE), space = H5Screate_simple(rank, sizes, NULL);
    H5Pset_create_intermediate_group(links, 1);
    hid_t set = H5Dcreate2(folder, name, type, space, links, H5P_DEFAULT, H5P_DEFAULT);
    ck_assert(set >= 0);
    ck_assert(H5Dwrite(set, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) >=
              0);
    H5Dclose(set);
    H5Sclose(space);
    H5Pclose(links);
    free(values);
    free(name);
}

static void put(const char *layer, const char *array, int rank, const int *shape)
{
    put_with(layer, array, H5T_IEEE_F32LE, rank, shape);
}

static void put_norm(const char *layer, int with_gamma)
{
    static const char *const arrays[] = {"moving_mean", "moving_variance", "beta",
                                         "gamma"};
    const int shape[] = {K};
    for (int i = 0; i < 3 + with_gamma; i++)
        put(layer, arrays[i], 1, shape);
}

static void put_text(const char *name, const char *text)
{
    char *quoted = rt_format("%s", text);
    for (char *at = quoted; *at; at++)
        *at = *at == '\'' ? '"' : *at;
    hid_t type = H5Tcopy(H5T_C_S1), space = H5Screate(H5S_SCALAR);
    H5Tset_size(type, H5T_VARIABLE);
    hid_t attribute = H5Acreate2(file, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
    ck_assert(attribute >= 0 && H5Awrite(attribute, type, &quoted) >= 0);
    H5Aclose(attribute);
    H5Sclose(space);
    H5Tclose(type);
    free(quoted);
}

static const char *begin(void)
{
    const char *path = in_folder("m.h5");
    file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    folder = H5Gcreate2(file, "model_weights", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    ck_assert(file >= 0 && folder >= 0);
    return path;
}

static void end(void)
{
    H5Gclose(folder);
    H5Fclose(file);
}

static void put_layers(void)
{
    const int shape[] = {K};
    put("conv2d_7", "kernel", 4, conv_shape);
    put("conv2d_7", "bias", 1, shape);
    put_norm("bn", 1);
    put("conv2d_9", "kernel", 4, conv_shape);
    put_norm("bn_1", 0);
    put("conv2d_8", "kernel", 4, proj_shape);
    put("conv2d_8", "bias", 1, shape);
    put_with("out", "kernel", H5T_IEEE_F64BE, 2, fc_shape);
    put("out", "bias", 1, fc_bias);
}

static const char *write_model(void)
{
    const char *path = begin();
    put_layers();
    put_text("model_config", model);
    end();
    return path;
}

/* What the file's array holds. */
static double in_file(const char *layer, const char *array, size_t i)
{
    char *name = rt_format("%s/%s/%s:0", layer, layer, array);
    double value = (double)number(name, i);
    free(name);
    return value;
}

/* A layer's output for an input x of its convolution, as Keras computes it. */
static double keras_norm(const char *conv, const char *norm, bool gamma, double eps,
                         int k, double x)
{
    double bias = conv ? in_file(conv, "bias", (size_t)k) : 0;
    size_t i = (size_t)k;
    return (gamma ? in_file(norm, "gamma", i) : 1) *
               (x + bias - in_file(norm, "moving_mean", i)) /
               sqrt(in_file(norm, "moving_variance", i) + eps) +
           in_file(norm, "beta", i);
}

static double our_norm(const Checkpoint *got, const char *layer, int k, double x)
{
    double values[4];
    static const char *const arrays[] = {"scale", "shift", "mean", "var"};
    for (int i = 0; i < 4; i++) {
        char *name = rt_format("%s.%s", layer, arrays[i]);
        values[i] = (double)values_of(got, name)[k];
        free(name);
    }
    return values[0] * (x - values[2]) / sqrt(values[3] + 1e-5) + values[1];
}

static void check_kernel(const Checkpoint *got, const char *ours, const char *theirs,
                         size_t length)
{
    for (size_t i = 0; i < length; i++)
        ck_assert_float_eq(values_of(got, ours)[i], (float)in_file(theirs, "kernel", i));
}

START_TEST(computes_what_keras_computes)
{
    Checkpoint got;
    ck_assert_msg(import_keras(write_model(), places, ARRAYS, false, &got), "%s",
                  rt_error());
    ck_assert_int_eq(got.count, ARRAYS);
    check_kernel(&got, "a.weight", "conv2d_7", 3 * K * K);
    check_kernel(&got, "b.weight", "conv2d_9", 3 * K * K);
    check_kernel(&got, "p.weight", "conv2d_8", K * K);
    check_kernel(&got, "fc.weight", "out", 3 * K);
    for (int k = 0; k < 3; k++)
        ck_assert_float_eq(values_of(&got, "fc.bias")[k],
                           (float)in_file("out", "bias", (size_t)k));
    for (int k = 0; k < K; k++)
        for (double x = -2; x <= 2; x++) {
            double a = keras_norm("conv2d_7", "bn", true, 0.25, k, x);
            double b = keras_norm(NULL, "bn_1", false, 1e-6, k, x);
            double p = x + in_file("conv2d_8", "bias", (size_t)k);
            ck_assert_double_eq_tol(our_norm(&got, "a_bn", k, x), a, 1e-5);
            ck_assert_double_eq_tol(our_norm(&got, "b_bn", k, x), b, 1e-5);
            ck_assert_double_eq_tol(our_norm(&got, "p_bn", k, x), p, 1e-5);
        }
    checkpoint_free(&got);
}
END_TEST

/* Layers that bear the network's names go by these, whatever their order. */
START_TEST(names_come_before_order)
{
    const char *path = begin();
    put("b", "kernel", 4, conv_shape);
    put("a", "kernel", 4, conv_shape);
    put_text("model_config", "{'config': {'layers': ["
                             "{'class_name': 'Conv2D', 'config': {'name': 'b'}},"
                             "{'class_name': 'Conv2D', 'config': {'name': 'a'}}]}}");
    end();
    KerasPlace two[] = {places[0], places[5]};
    Checkpoint got;
    ck_assert_msg(import_keras(path, two, 2, false, &got), "%s", rt_error());
    check_kernel(&got, "a.weight", "a", 3 * K * K);
    check_kernel(&got, "b.weight", "b", 3 * K * K);
    checkpoint_free(&got);
}
END_TEST

/* Of a Sequential each layer reads the one before; a network's own bias takes the file's.
 * */
START_TEST(sequential_and_own_bias)
{
    const int shape[] = {K};
    const char *path = begin();
    put("c", "depthwise_kernel", 4, (const int[]){1, 3, K, 1});
    put("c", "bias", 1, shape);
    put_norm("n", 1);
    put_text("model_config",
             "{'class_name': 'Sequential', 'config': {'layers': ["
             "{'class_name': 'DepthwiseConv2D', 'config': {'name': 'c'}},"
             "{'class_name': 'BatchNormalization', 'config': {'name': 'n',"
             " 'epsilon': 0.5}}]}}");
    end();
    forget_network();
    place("d", "weight", PARAM_CONV, "d.weight", 4, (const int[]){1, 3, 1, K});
    place("d", "bias", PARAM_BIAS, "d.weight", 1, shape);
    place_norm("d_bn", "d.weight");
    Checkpoint got;
    ck_assert_msg(import_keras(path, places, count, false, &got), "%s", rt_error());
    for (int k = 0; k < K; k++) {
        double bias = (double)values_of(&got, "d.bias")[k];
        ck_assert_double_eq_tol(bias, in_file("c", "bias", (size_t)k), 1e-6);
        ck_assert_double_eq_tol(our_norm(&got, "d_bn", k, 1 + bias),
                                keras_norm("c", "n", true, 0.5, k, 1), 1e-5);
    }
    checkpoint_free(&got);
}
END_TEST

static void check_fails(const char *path, const char *message)
{
    Checkpoint out;
    ck_assert_msg(!import_keras(path, places, ARRAYS, false, &out), "no error, want %s",
                  message);
    ck_assert_int_eq(out.count, 0);
    check_error(message, path);
}

START_TEST(what_does_not_fit)
{
    const char *path = write_model();
    params[15].shape[1] = 4;
    check_fails(path, "%s: no layer left for fc.weight, [2][4]");
    params[15].shape[1] = 3;
    Checkpoint got;
    ck_assert(!import_keras(path, places, 15, false, &got));
    check_error("%s: has 1 layer or array this network does not have, the first is out; "
                "--ignore-extra leaves them out",
                path);
    ck_assert(import_keras(path, places, 15, true, &got));
    checkpoint_free(&got);
}
END_TEST

START_TEST(explained)
{
    char *text = NULL;
    size_t bytes;
    FILE *out = open_memstream(&text, &bytes);
    const char *path = write_model();
    ck_assert(!import_keras_explain(path, places, 15, false, out));
    rt_error_clear();
    fclose(out);
    static const char *const lines[] = {
        "conv2d_7/conv2d_7/bias:0     [2]           a_bn.mean\n",
        "conv2d_8/conv2d_8/bias:0     [2]           p_bn.shift\n",
        "bn_1/bn_1/moving_mean:0      [2]           b_bn.mean\n",
        "out/out/kernel:0             [2][3]        (left over)\n"};
    for (int i = 0; i < 4; i++)
        ck_assert_msg(strstr(text, lines[i]) != NULL, "no %sin\n%s", lines[i], text);
    free(text);
}
END_TEST

START_TEST(models_that_lack_something)
{
    const char *path = begin();
    put_layers();
    end();
    check_fails(path, "%s: no model_config: want a whole model of Keras, as model.save "
                      "writes it; weights alone do not say which layer reads which");
    path = begin();
    put_layers();
    put_text("model_config", "{'config': {}}");
    end();
    check_fails(path, "%s: model_config: no list of layers");
    path = begin();
    put_layers();
    put_text("model_config", "[1, 2");
    end();
    check_fails(path, "%s: model_config, byte 5: ']' expected near end of file");
    path = begin();
    put_text("model_config", model);
    end();
    check_fails(path, "%s: conv2d_7: no kernel");
    path = begin();
    put_layers();
    put("bn_1", "gamma", 1, fc_bias);
    put_text("model_config", model);
    end();
    check_fails(path, "%s: bn_1/bn_1/gamma:0: want 2 values");
}
END_TEST

/* What leads out of the file is not followed. */
START_TEST(links_and_places_elsewhere)
{
    const char *path = begin();
    put_layers();
    put_text("model_config", model);
    ck_assert(H5Lcreate_external("/etc/passwd", "/x", folder, "zz", H5P_DEFAULT,
                                 H5P_DEFAULT) >= 0);
    end();
    check_fails(path, "%s: zz: a link that leads elsewhere");
    path = begin();
    hid_t made = H5Pcreate(H5P_DATASET_CREATE);
    hid_t space = H5Screate_simple(1, (const hsize_t[]){4}, NULL);
    ck_assert(H5Pset_external(made, "/etc/passwd", 0, 16) >= 0);
    hid_t set =
        H5Dcreate2(folder, "w", H5T_IEEE_F32LE, space, H5P_DEFAULT, made, H5P_DEFAULT);
    ck_assert(set >= 0);
    H5Dclose(set);
    H5Sclose(space);
    H5Pclose(made);
    put_text("model_config", model);
    end();
    check_fails(path, "%s: w: its values are kept in another file");
    path = begin();
    put("a", "huge", 1, (const int[]){1});
    space = H5Screate_simple(1, (const hsize_t[]){(hsize_t)1 << 40}, NULL);
    set = H5Dcreate2(folder, "w", H5T_IEEE_F32LE, space, H5P_DEFAULT, H5P_DEFAULT,
                     H5P_DEFAULT);
    ck_assert(set >= 0);
    H5Dclose(set);
    H5Sclose(space);
    end();
    check_fails(path, "%s: w: dimension 0 is 1099511627776, too large for this file");
}
END_TEST

/* Damaged in any place: an error or weights, and nothing worse. */
START_TEST(damaged)
{
    enum { TIMES = 60 };
    size_t bytes;
    const char *path = write_model(), *other = in_folder("d.h5");
    char *data = rt_read_file(path, &bytes);
    ck_assert(data != NULL);
    int failed = 0;
    for (uint64_t i = 0; i < TIMES; i++) {
        char *copy = rt_alloc(bytes);
        memcpy(copy, data, bytes);
        size_t length = i % 4 == 0 ? (size_t)random_below(1, i, (int)bytes) : bytes;
        for (uint64_t j = 0; j < 12 && i % 4; j++)
            copy[8 + random_below(2, 99 * i + j, (int)bytes - 8)] =
                (char)random_bits(3, 99 * i + j);
        ck_assert(rt_write_if_changed(other, copy, length));
        free(copy);
        Checkpoint got;
        bool ok = import_keras(other, places, ARRAYS, false, &got);
        ck_assert(ok || rt_error()[0]);
        failed += !ok;
        checkpoint_free(&got);
        rt_error_clear();
    }
    ck_assert_int_gt(failed, TIMES / 3);
    free(data);
}
END_TEST

static void begin_test(void)
{
    folder_make();
    make_network();
}

static void end_test(void)
{
    forget_network();
    folder_remove();
}

Suite *import_keras_suite(void)
{
    Suite *suite = suite_create("import_keras");
    TCase *tests = tcase_create("import_keras");
    tcase_add_checked_fixture(tests, begin_test, end_test);
    tcase_add_test(tests, computes_what_keras_computes);
    tcase_add_test(tests, names_come_before_order);
    tcase_add_test(tests, sequential_and_own_bias);
    tcase_add_test(tests, what_does_not_fit);
    tcase_add_test(tests, explained);
    tcase_add_test(tests, models_that_lack_something);
    tcase_add_test(tests, links_and_places_elsewhere);
    tcase_add_test(tests, damaged);
    tcase_set_timeout(tests, 120);
    suite_add_tcase(suite, tests);
    return suite;
}
