/* The standalone inference file: the infer program for every target, and its constants. */
#include "shipped.h"

#include "compile.h"
#include "emit.h"
#include "support.h"

#include <libgen.h>
#include <stdlib.h>
#include <string.h>

static bool write_as(const char *template, const EmitInput *input, const char *path)
{
    size_t bytes;
    char *text = emit(template, input, &bytes);
    bool ok = rt_write_if_changed(path, text, bytes);
    free(text);
    return ok;
}

static bool write_files(EmitInput *input, const char *output, bool split)
{
    int stem = (int)strlen(output) - 2;
    char *header = rt_format("%.*s.h", stem, output);
    char *constants = rt_format("%.*s_weights.c", stem, output);
    char *copy = rt_format("%s", header);
    input->header = basename(copy);
    input->split = split;
    bool ok = write_as("infer.h.in", input, header) && write_as("infer.c.in", input, output);
    input->only_weights = true;
    ok = ok && (!split || write_as("infer.c.in", input, constants));
    free(header);
    free(constants);
    free(copy);
    return ok;
}

bool shipped_write(const Config *config, const char *weights, const char *output, bool split)
{
    size_t length = strlen(output);
    if (length < 3 || strcmp(output + length - 2, ".c") != 0)
        return rt_fail("-o %s: want a file whose name ends in .c", output);
    Checkpoint checkpoint = {0};
    Constants constants;
    if (!checkpoint_read(weights, &checkpoint))
        return false;
    bool ok = constants_make(config, &checkpoint, weights, &constants);
    if (ok) {
        Net nets[3] = {0};
        const char *const targets[] = {"plain", "avx2",
                                       quant_used(&config->net) ? "vnni" : "avx512"};
        for (int i = 0; ok && i < 3; i++) {
            const CompileOptions options = {.target = target_find(targets[i])};
            ok = compile_infer(config, &options, &nets[i]);
        }
        char *command = rt_format("lathe emit %s", config->path);
        EmitInput input = {.config = config,
                           .command = command,
                           .layers = &config->net,
                           .infer = &nets[0],
                           .infer_narrow = &nets[1],
                           .infer_wide = &nets[2],
                           .name = config->name,
                           .constants = &constants};
        ok = ok && write_files(&input, output, split);
        free(command);
        for (int i = 0; i < 3; i++)
            net_free(&nets[i]);
    }
    constants_free(&constants);
    checkpoint_free(&checkpoint);
    return ok;
}
