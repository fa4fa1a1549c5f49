/* Writing and building trainers: see build.h. The cache is out/cache/<hash of all that
 * goes into it>.<product>/; out/cache/objects keeps network.o by its own hash, because
 * most changes of a recipe leave the network as it is. */
#include "gen/run/build.h"

#include "gen/base/paths.h"
#include "gen/base/scratch.h"
#include "gen/emit/emit.h"
#include "gen/emit/report.h"
#include "runtime/base/support.h"

#include <fcntl.h>
#include <glob.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static bool write_template(const char *template, const EmitInput *input,
                           const char *folder, const char *file)
{
    size_t bytes;
    char *text = emit(template, input, &bytes);
    char *path = rt_format("%s/%s", folder, file);
    bool ok = rt_write_if_changed(path, text, bytes);
    free(path);
    free(text);
    return ok;
}

static bool write_report(const Config *config, const CompileOptions *options,
                         const Net *train, const char *folder)
{
    char *text = NULL;
    size_t bytes;
    FILE *file = open_memstream(&text, &bytes);
    report_print(file, config, NULL);
    report_print_programs(file, train, options->target);
    fclose(file);
    char *path = rt_format("%s/report.txt", folder);
    bool ok = rt_write_if_changed(path, text, bytes);
    free(path);
    free(text);
    return ok;
}

/* What the templates of a trainer see; the caller frees the nets. */
static void begin_input(EmitInput *input, const Config *config,
                        const CompileOptions *options, const char *command, Net *train,
                        Net *evaluate)
{
    compile_train(config, options, train);
    compile_evaluate(config, options, evaluate);
    *input = (EmitInput){
        .config = config,
        .target = options->target,
        .command = command,
        .layers = &config->net,
        .train = train,
        .evaluate = evaluate,
        .profile = options->profile,
    };
}

bool build_write(const Config *config, const CompileOptions *options, const char *command,
                 const char *folder)
{
    if (!rt_make_directories(folder))
        return false;
    Net train, evaluate;
    EmitInput input;
    begin_input(&input, config, options, command, &train, &evaluate);
    char *root = relative_path(folder, lathe_root());
    input.root = root;
    bool ok = write_template("trainer/network.c.in", &input, folder, "network.c") &&
              write_template("trainer/train.c.in", &input, folder, "train.c") &&
              write_template("trainer/Makefile.in", &input, folder, "Makefile") &&
              write_report(config, options, &train, folder);
    free(root);
    net_free(&train);
    net_free(&evaluate);
    return ok;
}

void build_texts(const Config *config, const CompileOptions *options, const char *command,
                 char **network, char **tables)
{
    Net train, evaluate;
    EmitInput input;
    size_t bytes;
    begin_input(&input, config, options, command, &train, &evaluate);
    *network = emit("trainer/network.c.in", &input, &bytes);
    *tables = emit("trainer/train.c.in", &input, &bytes);
    net_free(&train);
    net_free(&evaluate);
}

/* SHA-256 over the files, in order. */
static bool hash_files(char **paths, int count, char hex[65])
{
    char *all = NULL;
    size_t bytes;
    FILE *stream = open_memstream(&all, &bytes);
    bool ok = true;
    for (int i = 0; ok && i < count; i++) {
        size_t size;
        char *text = rt_read_file(paths[i], &size);
        ok = text != NULL;
        if (ok)
            fwrite(text, 1, size, stream);
        free(text);
    }
    fclose(stream);
    rt_sha256(all, bytes, hex);
    free(all);
    return ok;
}

/* Hash of what a product (or only its network.o) is made of. */
static bool hash_inputs(const char *folder, bool object, char hex[65])
{
    glob_t headers;
    char *pattern = rt_format("%s/runtime/kernels/*.h", lathe_root());
    glob(pattern, 0, NULL, &headers);
    free(pattern);
    int count = 0;
    char **paths = rt_alloc((headers.gl_pathc + 5) * sizeof *paths);
    for (size_t i = 0; i < headers.gl_pathc; i++)
        paths[count++] = headers.gl_pathv[i];
    int own = count;
    paths[count++] = rt_format("%s/runtime/rt.h", lathe_root());
    paths[count++] = rt_format("%s/network.c", folder);
    paths[count++] = rt_format("%s/Makefile", folder);
    if (!object) {
        paths[count++] = rt_format("%s/train.c", folder);
        paths[count++] = rt_format("%s/out/libruntime.a", lathe_root());
    }
    bool ok = hash_files(paths, count, hex);
    for (int i = own; i < count; i++)
        free(paths[i]);
    free(paths);
    globfree(&headers);
    return ok;
}

/* Run make in the folder, its output shown only when it fails. */
static bool run_make(const char *folder, const char *product)
{
    char *log = rt_format("%s/build.log", folder);
    char *root = rt_format("LATHE=%s", lathe_root());
    pid_t child = fork();
    if (child == 0) {
        int fd = open(log, O_WRONLY | O_CREAT | O_TRUNC, 0666);
        dup2(fd, 1);
        dup2(fd, 2);
        unsetenv("MAKEFLAGS");
        unsetenv("MAKELEVEL");
        execlp("make", "make", "-C", folder, root, product, (char *)NULL);
        _exit(127);
    }
    int status = 0;
    bool ok = child > 0 && waitpid(child, &status, 0) == child && status == 0;
    if (!ok && scratch_goes_on()) {
        size_t bytes;
        char *text = rt_read_file(log, &bytes);
        fprintf(stderr, "%s", text ? text : "");
        free(text);
        rt_fail("%s: make failed; it needs make and gcc", folder);
    }
    free(log);
    free(root);
    return ok;
}

static bool copy_into(const char *from, const char *to, const char *name)
{
    char *source = rt_format("%s/%s", from, name), *target = rt_format("%s/%s", to, name);
    size_t bytes;
    char *text = rt_read_file(source, &bytes);
    bool ok = text && rt_write_if_changed(target, text, bytes);
    free(text);
    free(source);
    free(target);
    return ok;
}

static bool copy_sources(const char *folder, const char *work)
{
    return rt_make_directories(work) && copy_into(folder, work, "network.c") &&
           copy_into(folder, work, "train.c") && copy_into(folder, work, "Makefile");
}

/* Build in `work`, with a network.o of the same content if one is kept, and keep it. */
static bool build_in(const char *work, const char *object, const char *product)
{
    char *local = rt_format("%s/network.o", work);
    if (link(object, local) == 0)
        utimensat(AT_FDCWD, local, NULL, 0); /* newer than the copied sources */
    bool ok = run_make(work, product);
    if (ok)
        link(local, object); /* fails when it is kept already, which is fine */
    free(local);
    return ok;
}

/* `product`, a target of the folder's Makefile, from the cache; else built, in the folder
 * itself or in a copy, which then becomes the cache's. */
static char *build_product(const char *folder, const char *product, bool copy)
{
    char all[65], network[65];
    if (!hash_inputs(folder, false, all) || !hash_inputs(folder, true, network))
        return NULL;
    char *cache = rt_format("%s", cache_folder());
    char *objects = rt_format("%s/objects", cache);
    char *object = rt_format("%s/%.16s.o", objects, network);
    char *final = rt_format("%s/%.16s.%s", cache, all, product);
    char *work =
        copy ? rt_format("%s.%ld", final, (long)getpid()) : rt_format("%s", folder);
    char *path = rt_format("%s/%s", final, product);
    bool ok = access(path, R_OK) == 0;
    if (!ok) {
        ok = rt_make_directories(objects) && (!copy || copy_sources(folder, work)) &&
             build_in(work, object, product);
        if (ok && rename(work, final) != 0)
            ok = access(path, R_OK) == 0 || /* built by somebody else meanwhile */
                 rt_fail("%s: cannot be moved into place", work);
    }
    free(cache);
    free(objects);
    free(object);
    free(final);
    free(work);
    if (ok)
        return path;
    free(path);
    return NULL;
}

char *build_trainer(const char *folder)
{
    return build_product(folder, "trainer", true);
}

char *build_library(const char *folder)
{
    return build_product(folder, "network.so", false);
}

char *build_object(const char *folder)
{
    char *trainer = build_trainer(folder);
    if (trainer == NULL)
        return NULL;
    char *object = rt_format("%s/network.o", dirname(trainer));
    free(trainer);
    return object;
}
