/* The layer table of `lathe show` and report.txt. */
#include "report.h"

#include <string.h>

static long op_params(const Net *net, const Op *op, bool sized)
{
    long sum = 0;
    for (int i = 0; i < OP_INPUTS; i++) {
        const Tensor *t = op->in[i] == NONE ? NULL : &net->tensors[op->in[i]];
        if (t && t->role == ROLE_PARAM &&
            (!sized || t->param_kind == PARAM_CONV || t->param_kind == PARAM_DENSE ||
             t->param_kind == PARAM_BIAS))
            sum += tensor_count(t);
    }
    return sum;
}

static void shape_text(char *text, size_t size, const Tensor *t)
{
    snprintf(text, size, "%dx%dx%d", t->h, t->w, t->c);
}

void report_print(FILE *file, const Config *config)
{
    enum { BITS = 32 };
    const Net *net = &config->net;
    long params = 0, macs = 0, sized = 0;
    fprintf(file, "%s (%s)\n\n", config->name, config->path);
    fprintf(file, "%-20s %-10s %-13s %-13s %5s %10s %13s %11s  %s\n", "layer", "op", "in",
            "out", "bits", "parameters", "MACs", "bytes", "config line");
    for (int i = 0; i < net->op_count; i++) {
        const Op *op = &net->ops[i];
        char in[48], out[48], kind[32];
        shape_text(in, sizeof in, &net->tensors[op->in[0]]);
        shape_text(out, sizeof out, &net->tensors[op->out[0]]);
        size_t length = 0;
        for (const char *p = op_info[op->kind].name; *p; p++)
            kind[length++] = *p >= 'A' && *p <= 'Z' ? *p + 'a' - 'A' : *p;
        kind[length] = 0;
        if (op->kernel_h)
            snprintf(kind + length, sizeof kind - length, " %dx%d/%d", op->kernel_h,
                     op->kernel_w, op->stride);
        long own = op_params(net, op, false), size = op_params(net, op, true) * BITS / 8;
        fprintf(file, "%-20s %-10s %-13s %-13s %5d %10ld %13ld %11ld  %s:%d\n", op->name, kind,
                in, out, BITS, own, op->macs, size, op->file, op->line);
        params += own;
        macs += op->macs;
        sized += size;
    }
    fprintf(file, "\n%ld parameters, %ld MACs an image\n", params, macs);
    fprintf(file, "size %.2f KB (conv and dense weights and biases at their bits, KB = 1000 "
                  "bytes)\n",
            sized / 1000.0);
}

void report_print_programs(FILE *file, const Net *train, const Target *target)
{
    fprintf(file, "\ntraining for %s, %d images a pass: arena %.1f MB\n\n", target->name,
            train->batch, train->arena_bytes / 1e6);
    fprintf(file, "%-20s %-18s %-9s %6s  %s\n", "layer", "pass", "lowering", "lanes",
            "tile (rows x vectors)");
    for (int i = 0; i < train->op_count; i++) {
        const Op *op = &train->ops[i];
        if (op->tile_rows)
            fprintf(file, "%-20s %-18s %-9s %6d  %d x %d\n", op->name,
                    op_info[op->kind].suffix, op->lowering == LOWER_CALL ? "call" : "direct",
                    op->lanes, op->tile_rows, op->tile_vectors);
    }
}
