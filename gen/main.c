/* lathe: from a Lua description of a network to the C for exactly that network. The verbs
 * are in cmd_*.c, the compiler is the list of passes in compile.c. */
#include "gen/base/paths.h"
#include "gen/emit/emit.h"
#include "gen/verbs/commands.h"
#include "gen/verbs/options.h"
#include "runtime/base/streams.h"
#include "runtime/base/support.h"
#include "runtime/kernels/gemm.h"

#include <stdio.h>
#include <string.h>

static const struct {
    const char *name, *what;
    int (*run)(int argc, char **argv);
} verbs[] = {
    {"gen", "write the trainer of a config: train.c, network.c, Makefile, report",
     cmd_gen},
    {"train", "generate, build and run the trainer", cmd_train},
    {"ptq", "quantise float weights without training", cmd_ptq},
    {"eval", "accuracy of trained weights, in all and per class", cmd_eval},
    {"classify", "the best classes of PNG pictures", cmd_classify},
    {"emit", "write the standalone inference file for trained weights", cmd_emit},
    {"verify", "compare that file with the trainer, image by image", cmd_verify},
    {"bench", "time training and inference, layer by layer", cmd_bench},
    {"show",
     "the layers of a config, one of them from config line to C, or all as a page",
     cmd_show},
    {"diff", "what differs between two configs or generated programs", cmd_diff},
    {"compare", "training runs side by side, and a picture of their curves", cmd_compare},
    {"repl", "a Lua prompt: change bitwidths, evaluate, train; scripts of it", cmd_repl},
    {"import", "weights from a file of PyTorch, safetensors or NumPy", cmd_import},
    {"export", "weights to NumPy .npz or .safetensors", cmd_export},
    {"data", "get CIFAR-10", cmd_data},
};
enum { VERBS = sizeof verbs / sizeof *verbs };

static void print_help(FILE *file)
{
    fputs("usage: lathe VERB ...\n\n", file);
    for (int i = 0; i < VERBS; i++)
        fprintf(file, "  %-10s %s\n", verbs[i].name, verbs[i].what);
    fputs("\n`lathe help VERB` explains each; `lathe version`. Begin with\n"
          "  lathe show configs/resnet20_fp_cifar10.lua\n",
          file);
}

static int unknown(const char *word)
{
    const char *names[VERBS];
    for (int i = 0; i < VERBS; i++)
        names[i] = verbs[i].name;
    const char *nearest = rt_nearest(word, names, VERBS);
    rt_fail("unknown verb %s%s%s; see lathe --help", word,
            nearest ? "; did you mean " : "", nearest ? nearest : "");
    return command_failed();
}

static int run_verb(int argc, char **argv)
{
    for (int i = 0; i < VERBS; i++)
        if (strcmp(argv[0], verbs[i].name) == 0)
            return lathe_is_whole() ? verbs[i].run(argc, argv) : command_failed();
    return unknown(argv[0]);
}

static bool is_one_of(const char *word, const char *a, const char *b, const char *c)
{
    return strcmp(word, a) == 0 || strcmp(word, b) == 0 || strcmp(word, c) == 0;
}

static int run(int argc, char **argv)
{
    const char *word = argc > 1 ? argv[1] : "help";
    if (is_one_of(word, "version", "--version", "-V")) {
        puts("lathe " LATHE_VERSION);
        return 0;
    }
    if (!is_one_of(word, "help", "--help", "-h")) {
        rt_prepare_process(argv);
        return run_verb(argc - 1, argv + 1);
    }
    if (argc < 3) {
        print_help(stdout);
        return argc < 2;
    }
    return run_verb(2, (char *[]){argv[2], "--help", NULL});
}

int main(int argc, char **argv)
{
    streams_begin();
    int status = run(argc, argv);
    return status != 0 || streams_end() ? status : command_failed();
}
