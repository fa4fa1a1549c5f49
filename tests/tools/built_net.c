/* Generate, compile, dlopen: see built_net.h. The trainer's own two files are compiled as
 * they are, inside a file that lists the functions of its ops. */
#include "tests/tools/built_net.h"

#include "gen/base/paths.h"
#include "gen/emit/trainer_files.h"
#include "runtime/base/support.h"
#include "tests/tools/folder.h"
#include "tests/tools/process.h"

#include <check.h>
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

bool machine_runs(const char *target)
{
    return target_runs(target_find(target));
}

char *net_path(const char *name)
{
    return rt_format("%s/tests/nets/%s.lua", lathe_root(), name);
}

static void list_ops(FILE *file, const char *program, const Net *net)
{
    fprintf(file, "Function *const test_%s_ops[] = {\n", program);
    for (int i = 0; i < net->op_count; i++)
        fprintf(file, "    (Function *)%s_%s_%s,\n", program, net->ops[i].name,
                op_info[net->ops[i].kind].suffix);
    fputs("};\n", file);
}

static void write_listing(const BuiltNet *built, const char *path)
{
    FILE *file = fopen(path, "w");
    ck_assert_ptr_nonnull(file);
    fputs("#include \"network.c\"\n"
          "#define main trainer_main\n"
          "int trainer_main(int argc, char **argv);\n"
          "#include \"train.c\"\n"
          "typedef void Function(void);\n"
          "extern Function *const test_train_ops[], *const test_evaluate_ops[];\n",
          file);
    list_ops(file, "train", &built->train);
    list_ops(file, "evaluate", &built->evaluate);
    ck_assert_int_eq(fclose(file), 0);
}

static void compile_listing(const char *source, const char *object, const Target *target)
{
    const char *words[32] = {"gcc",
                             "-std=gnu11",
                             "-O2",
                             "-ffp-contract=fast",
                             "-fno-ipa-pure-const", /* as in a trainer's Makefile */
                             "-fno-ipa-modref",
                             "-Wall",
                             "-Wextra",
                             "-Wpedantic",
                             "-Wcast-align=strict",
                             "-Werror",
                             "-Wno-overlength-strings",
                             NULL};
    char *root = rt_format("-I%s", lathe_root());
    char *flags = rt_format("%s", target->cflags), *rest = flags;
    int count = 12;
    words[count++] = root;
    for (char *flag; (flag = strsep(&rest, " "));)
        if (*flag)
            words[count++] = flag;
    words[count] = NULL;
    compile_shared(words, (const char *const[]){source, NULL}, object);
    free(root);
    free(flags);
}

static void load(BuiltNet *built, const char *object)
{
    built->library = dlopen(object, RTLD_NOW | RTLD_LOCAL);
    ck_assert_msg(built->library != NULL, "%s", dlerror());
    built->model = dlsym(built->library, "lathe_model");
    built->train_ops = dlsym(built->library, "test_train_ops");
    built->evaluate_ops = dlsym(built->library, "test_evaluate_ops");
}

void built_make(BuiltNet *built, const char *name, const BuildHow *how)
{
    char *path = net_path(name);
    built_make_from(built, path, how);
    free(path);
}

void built_make_from(BuiltNet *built, const char *path, const BuildHow *how)
{
    *built = (BuiltNet){0};
    const bool own =
        how->target && strcmp(how->target, "tcc") == 0; /* it calls by itself */
    const CompileOptions options = {.target =
                                        target_find(how->target ? how->target : "plain"),
                                    .lowering = own ? NULL : &how->lowering};
    int sets = 0;
    while (how->sets && how->sets[sets])
        sets++;
    ck_assert_msg(config_load(path, how->sets, sets, &built->config), "%s", rt_error());
    compile_train(&built->config, &options, &built->train);
    compile_evaluate(&built->config, &options, &built->evaluate);
    static int serial; /* dlopen tells libraries apart by their path */
    char *folder = rt_format("%s%d", in_folder("built"), serial++);
    char *source = rt_format("%s/listing.c", folder);
    char *object = rt_format("%s/listing.so", folder);
    TrainerFiles files;
    ck_assert_msg(
        trainer_files_generate(&built->config, &options, "lathe test", folder, &files),
        "%s", rt_error());
    trainer_files_free(&files);
    write_listing(built, source);
    compile_listing(source, object, options.target);
    load(built, object);
    free(folder);
    free(source);
    free(object);
}

void built_free(BuiltNet *built)
{
    dlclose(built->library);
    net_free(&built->train);
    net_free(&built->evaluate);
    config_free(&built->config);
}
