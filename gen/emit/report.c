/* The layer table of `lathe show` and report.txt. */
#include "gen/emit/report.h"

#include "runtime/kernels/quant.h"

#include <string.h>

/* Parameters as the network's own: without those of quantisers. */
static long op_params(const Net *net, const Op *op)
{
    long sum = 0;
    for (int i = 0; i < OP_INPUTS; i++) {
        const Tensor *t = op->in[i] == NONE ? NULL : &net->tensors[op->in[i]];
        if (t && t->role == ROLE_PARAM)
            sum += tensor_count(t);
    }
    return sum;
}

/* Bits of a quantiser's numbers, each channel at its own: learned ones from `params`, or
 * where learning begins when that is NULL. 32 without a quantiser. */
static double total_bits(const Net *net, const Quantiser *q, long numbers,
                         const float *params)
{
    if (q->quantizer == RT_QUANT_NONE)
        return 32.0 * numbers;
    if (q->quantizer != RT_QUANT_STEP_RANGE || params == NULL)
        return (double)q->bits * numbers;
    const RtQuant quant = quantiser_rt(q);
    const Tensor *step = &net->tensors[q->step], *range = &net->tensors[q->range];
    double bits = 0;
    for (int i = 0; i < step->k; i++)
        bits +=
            rt_quant_bits(&quant, params[step->offset + i], params[range->offset + i]);
    return bits * numbers / step->k;
}

double report_bits(const Net *net, const Quantiser *quantiser, const float *params)
{
    return total_bits(net, quantiser, 1, params);
}

/* Bytes of conv and dense weights and biases, the table's Size. */
static double op_bytes(const Net *net, const Op *op, const float *params)
{
    if (!op_is(op, WEIGHTS))
        return 0;
    double bits = total_bits(net, &op->own, tensor_count(op_in(net, op, "w")), params);
    if (op_is(op, BIAS))
        bits += total_bits(net, &op->bias, tensor_count(op_in(net, op, "b")), params);
    return bits / 8;
}

double report_bytes(const Config *config, const float *params)
{
    double bytes = 0;
    for (int i = 0; i < config->net.op_count; i++)
        bytes += op_bytes(&config->net, &config->net.ops[i], params);
    return bytes;
}

/* "4", or with a mean over channels "3.5"; "-" where nothing has bits. */
static void bits_text(char text[16], const Net *net, const Op *op, const float *params)
{
    bool passes = op->kind == OP_CONCAT && op->own.quantizer == RT_QUANT_NONE;
    bool has = op_is(op, WEIGHTS) || op_is(op, ACTIVATION);
    if ((has && !passes) || op->own.quantizer != RT_QUANT_NONE)
        snprintf(text, 16, "%.3g", total_bits(net, &op->own, 1, params));
    else
        snprintf(text, 16, op->kind == OP_IMAGE ? "8" : "-");
}

static void shape_text(char text[48], const Tensor *t)
{
    snprintf(text, 48, "%dx%dx%d", t->h, t->w, t->c);
}

static void kind_text(char text[32], const Op *op)
{
    size_t length = 0;
    for (const char *p = op->slope > 0 ? "LEAKY" : op_info[op->kind].name; *p; p++)
        text[length++] = *p >= 'A' && *p <= 'Z' ? *p + 'a' - 'A' : *p;
    text[length] = 0;
    if (op->ceiling > 0)
        snprintf(text + length, 32 - length, "%g", op->ceiling);
    else if (op->slope > 0 || op->rate > 0)
        snprintf(text + length, 32 - length, " %g", op->slope + op->rate);
    else if (op->kernel_h)
        snprintf(text + length, 32 - length, " %dx%d/%d", op->kernel_h, op->kernel_w,
                 op->stride);
}

ReportRow report_row(const Net *net, int layer, const float *params)
{
    const Op *op = &net->ops[layer];
    ReportRow row = {.params = op_params(net, op), .bytes = op_bytes(net, op, params)};
    shape_text(row.in, &net->tensors[op->in[LAYER_x]]);
    shape_text(row.out, &net->tensors[op->out[LAYER_y]]);
    kind_text(row.kind, op);
    bits_text(row.bits, net, op, params);
    return row;
}

/* The columns one cannot do without, each as wide as it has to be: 79 for ResNet-18. */
static void print_narrow(FILE *file, const Net *net, const float *values)
{
    int widths[] = {5, 2, 3};
    for (int i = 0; i < net->op_count; i++) {
        const ReportRow row = report_row(net, i, values);
        const char *texts[] = {net->ops[i].name, row.kind, row.out};
        for (int t = 0; t < 3; t++)
            if ((int)strlen(texts[t]) > widths[t])
                widths[t] = (int)strlen(texts[t]);
    }
    fprintf(file, "%-*s %-*s %-*s %4s %9s %10s %9s\n", widths[0], "layer", widths[1],
            "op", widths[2], "out", "bits", "params", "MACs", "bytes");
    for (int i = 0; i < net->op_count; i++) {
        const Op *op = &net->ops[i];
        const ReportRow row = report_row(net, i, values);
        fprintf(file, "%-*s %-*s %-*s %4s %9ld %10ld %9.0f\n", widths[0], op->name,
                widths[1], row.kind, widths[2], row.out, row.bits, row.params, op->macs,
                row.bytes);
    }
}

static void print_wide(FILE *file, const Net *net, const float *values)
{
    fprintf(file, "%-20s %-12s %-13s %-13s %5s %10s %13s %11s  %s\n", "layer", "op", "in",
            "out", "bits", "parameters", "MACs", "bytes", "config line");
    for (int i = 0; i < net->op_count; i++) {
        const Op *op = &net->ops[i];
        const ReportRow row = report_row(net, i, values);
        fprintf(file, "%-20s %-12s %-13s %-13s %5s %10ld %13ld %11.0f  %s:%d\n", op->name,
                row.kind, row.in, row.out, row.bits, row.params, op->macs, row.bytes,
                op->file, op->line);
    }
}

void report_print(FILE *file, const Config *config, const float *values, int width)
{
    enum { WIDE = 128 };
    const Net *net = &config->net;
    long params = 0, macs = 0;
    fprintf(file, "%s (%s)\n\n", config->name, config->path);
    if (width > 0 && width < WIDE)
        print_narrow(file, net, values);
    else
        print_wide(file, net, values);
    for (int i = 0; i < net->op_count; i++) {
        params += op_params(net, &net->ops[i]);
        macs += net->ops[i].macs;
    }
    fprintf(file, "\n%ld parameters, %ld MACs an image\n", params, macs);
    fprintf(file,
            "size %.2f KB: conv and dense weights and biases at their bits, KB = 1000 "
            "bytes\n",
            report_bytes(config, values) / 1000);
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
                    op_info[op->kind].suffix, lowering_names[op->lowering], op->lanes,
                    op->tile_rows, op->tile_vectors);
    }
}
