/* Readers and the compiler under libFuzzer: LATHE_FUZZ=NAME out/fuzz/fuzz CORPUS. Each
 * harness takes bytes as a file, or as words, that somebody hands to lathe: whatever they
 * are, it must end with a result or one error, and free what it took. */
#include "gen/base/paths.h"
#include "gen/config/config.h"
#include "gen/emit/trainer_files.h"
#include "gen/passes/compile.h"
#include "gen/weights/weights_file.h"
#include "runtime/base/support.h"
#include "runtime/checkpoint/checkpoint.h"
#include "runtime/data/data.h"
#include "runtime/data/pack_file.h"
#include "runtime/draw/picture.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[64];

static const char *in_folder(const char *name)
{
    static char paths[4][128];
    static int next;
    char *path = paths[next++ % 4];
    snprintf(path, sizeof paths[0], "%s/%s", folder, name);
    return path;
}

static const char *write_input(const char *name, const uint8_t *data, size_t bytes)
{
    const char *path = in_folder(name);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (fd < 0 || write(fd, data, bytes) != (ssize_t)bytes || close(fd) != 0)
        abort();
    return path;
}

/* ---- From config to C ---- */

/* Texts of large nets take longer than finding the next input is worth. */
static bool is_small(const Net *net)
{
    long values = 0;
    for (int i = 0; i < net->tensor_count; i++)
        values += tensor_count(&net->tensors[i]);
    return net->op_count <= 40 && values < 1 << 20;
}

static void compile_config(const Config *config)
{
    const CompileOptions options = {.target = target_find("avx2")};
    TrainerFiles files;
    trainer_files_make(config, &options, "lathe gen", NULL, &files);
    trainer_files_free(&files);
    Net infer;
    if (compile_infer(config, &options, &infer))
        net_free(&infer);
}

static void load_config(const char *path, const char *const *sets, int count)
{
    Config config;
    if (!config_load(path, sets, count, &config))
        return;
    if (is_small(&config.net))
        compile_config(&config);
    config_free(&config);
}

static void fuzz_config(const uint8_t *data, size_t bytes)
{
    load_config(write_input("fuzz.lua", data, bytes), NULL, 0);
}

/* Lines of --set on a config with a layer of each kind. */
static void fuzz_set(const uint8_t *data, size_t bytes)
{
    enum { MOST_SETS = 8 };
    char *text = rt_format("%.*s", (int)bytes, (const char *)data), *rest = text;
    const char *sets[MOST_SETS];
    int count = 0;
    for (char *line; count < MOST_SETS && (line = strsep(&rest, "\n"));)
        sets[count++] = line;
    char *path = rt_format("%s/tests/golden/tiny.lua", lathe_root());
    load_config(path, sets, count);
    free(path);
    free(text);
}

/* ---- Files ---- */

static void fuzz_weights(const uint8_t *data, size_t bytes)
{
    Array *arrays;
    int count;
    const char *path = write_input("weights", data, bytes);
    if (weights_read(path, &arrays, &count))
        arrays_free(arrays, count);
    char *beside = NULL;
    rt_error_clear();
    if (weights_outline(path, "model", &arrays, &count, &beside))
        arrays_free(arrays, count);
    free(beside);
}

static void fuzz_checkpoint(const uint8_t *data, size_t bytes)
{
    Checkpoint checkpoint;
    if (checkpoint_read(write_input("a.ckpt", data, bytes), &checkpoint))
        checkpoint_free(&checkpoint);
}

static void fuzz_picture(const uint8_t *data, size_t bytes)
{
    Picture picture;
    if (picture_read(write_input("a.png", data, bytes), &picture))
        picture_free(&picture);
}

static void fuzz_jpeg(const uint8_t *data, size_t bytes)
{
    Picture picture;
    PictureError error;
    if (picture_decode(data, bytes, &picture, &error))
        picture_free(&picture);
}

static void load_as(const char *path, const DataWant *want)
{
    ImageSet train = {0}, test = {0};
    if (data_load(path, DATA_TRAIN | DATA_TEST, want, &train, &test)) {
        uint8_t image[2 * 3 * 3];
        PictureError error;
        for (int i = 0; i < train.count && i < 4; i++)
            image_read(&train, i, image, &error);
        data_free(&train);
        data_free(&test);
    }
}

static void load_data(const char *path)
{
    load_as(
        path,
        &(DataWant){
            .height = 2, .width = 3, .channels = 3, .classes = 10, .test_share = 0.5});
}

static void fuzz_npy(const uint8_t *data, size_t bytes)
{
    load_data(write_input("images.npy", data, bytes));
}

/* Labels beside sheets of two images of 2 x 3 pixels. */
static void fuzz_labels(const uint8_t *data, size_t bytes)
{
    static uint8_t pixels[2 * 2 * 3 * 3];
    if (!picture_write(in_folder("data_batch_1.png"), &(Picture){6, 2, pixels}) ||
        !picture_write(in_folder("test_batch.png"), &(Picture){6, 2, pixels}))
        abort();
    write_input("train_labels.json", data, bytes);
    write_input("test_labels.json", (const uint8_t *)"[1,2]", 5);
    load_data(folder);
}

static void fuzz_records(const uint8_t *data, size_t bytes)
{
    write_input("data_batch_1.bin", data, bytes);
    write_input("test_batch.bin", data, bytes < 19 ? bytes : 19);
    load_data(folder);
}

/* Images of a grey network, with labels for two. */
static void fuzz_idx(const uint8_t *data, size_t bytes)
{
    static const uint8_t labels[] = {0, 0, 8, 1, 0, 0, 0, 2, 1, 9};
    write_input("train-images-idx3-ubyte", data, bytes);
    write_input("train-labels-idx1-ubyte", labels, sizeof labels);
    write_input("t10k-images-idx3-ubyte", data, bytes);
    write_input("t10k-labels-idx1-ubyte", data, bytes);
    load_as(folder, &(DataWant){.height = 2, .width = 3, .channels = 1, .classes = 10});
}

static void fuzz_tar(const uint8_t *data, size_t bytes)
{
    load_data(write_input("a.tar", data, bytes));
}

/* With the head and hash of a whole one, or little would come behind them. */
static void fuzz_pack(const uint8_t *data, size_t bytes)
{
    PackHead head;
    char hash[65];
    if (bytes < PACK_START)
        return;
    uint8_t *copy = rt_alloc(bytes);
    memcpy(copy, data, bytes);
    memcpy(&head, copy, sizeof head);
    memcpy(head.magic, PACK_MAGIC, sizeof head.magic);
    head.version = PACK_VERSION;
    head.end = PACK_START + head.end % (bytes - PACK_START + 1);
    head.index_bytes = bytes - head.end;
    rt_sha256(copy + head.end, head.index_bytes, hash);
    memcpy(head.index, hash, sizeof head.index);
    memcpy(copy, &head, sizeof head);
    load_data(write_input("a.pack", copy, bytes));
    free(copy);
}

static void fuzz_csv(const uint8_t *data, size_t bytes)
{
    load_data(write_input("a.csv", data, bytes));
}

static const struct {
    const char *name;
    void (*run)(const uint8_t *data, size_t bytes);
} harnesses[] = {
    {"config", fuzz_config},   {"set", fuzz_set},
    {"weights", fuzz_weights}, {"checkpoint", fuzz_checkpoint},
    {"picture", fuzz_picture}, {"npy", fuzz_npy},
    {"labels", fuzz_labels},   {"records", fuzz_records},
    {"jpeg", fuzz_jpeg},       {"idx", fuzz_idx},
    {"tar", fuzz_tar},         {"csv", fuzz_csv},
    {"pack", fuzz_pack},
};
enum { HARNESSES = sizeof harnesses / sizeof *harnesses };
static int chosen;

static void remove_folder(void)
{
    char *command = rt_format("rm -rf %s", folder);
    if (system(command) != 0)
        fprintf(stderr, "%s is left\n", folder);
    free(command);
}

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    const char *name = getenv("LATHE_FUZZ");
    while (chosen < HARNESSES && strcmp(harnesses[chosen].name, name ? name : "") != 0)
        chosen++;
    if (chosen == HARNESSES) {
        fputs("LATHE_FUZZ: want one of", stderr);
        for (int i = 0; i < HARNESSES; i++)
            fprintf(stderr, " %s", harnesses[i].name);
        fputc('\n', stderr);
        exit(1);
    }
    strcpy(folder, "/tmp/lathe-fuzz-XXXXXX");
    if (mkdtemp(folder) == NULL)
        abort();
    atexit(remove_folder);
    rt_set_threads(1);
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    rt_error_clear();
    harnesses[chosen].run(data, bytes);
    return 0;
}
