/* `lathe show CONFIG LAYER`: one layer from the config's line to its C. */
#include "gen/show/show_layer.h"

#include "gen/config/field_table.h"
#include "gen/emit/report.h"
#include "gen/ir/params.h"
#include "runtime/base/support.h"
#include "runtime/base/text.h"
#include "runtime/kernels/quant.h"

#include <stdlib.h>
#include <string.h>

static void heading(FILE *file, const char *text)
{
    fprintf(file, "\n---- %s ----\n", text);
}

void show_number(char text[32], double value)
{
    char digits[32];
    int length = snprintf(digits, sizeof digits, "%.0f", value), at = 0;
    for (int i = 0; i < length; i++) {
        text[at++] = digits[i];
        if ((length - i) % 3 == 1 && i < length - 1)
            text[at++] = ',';
    }
    text[at] = 0;
}

/* ---- Config ---- */

static void print_config_line(int line, bool picked, const char *text, FILE *file)
{
    fprintf(file, "%c %5d  ", picked ? '>' : ' ', line);
    rt_put_lines(text, file);
    fputc('\n', file);
}

void show_config_lines(const Inspection *it, const Op *op, FILE *file)
{
    enum { AROUND = 3 };
    Source source = {0};
    if (!inspect_config_file(it, op->file, &source)) {
        fprintf(file, "%s:%d\n", op->file, op->line);
        return;
    }
    fprintf(file, "%s\n", op->file);
    for (int line = op->line - AROUND; line <= op->line + AROUND; line++)
        if (line >= 1 && line <= source.line_count)
            print_config_line(line, line == op->line, source.lines[line], file);
    source_free(&source);
}

void show_quant_fields(const Quant *quant, FILE *file)
{
    for (int i = 0; i < FIELDS; i++) {
        const Field *field = &field_rows[i];
        if (!field_in_quant(field))
            continue;
        double value = field_fetch_quant(quant, field);
        if (field->kind == KIND_ENUM)
            fprintf(file, " %s=%s", field->name, field_words(field)[(int)value]);
        else if (field->kind == KIND_BOOL)
            fprintf(file, " %s=%s", field->name, value != 0 ? "true" : "false");
        else
            fprintf(file, " %s=%.6g", field->name, value);
    }
}

/* ---- Quantisers ---- */

/* Smallest and largest of a number that may differ by channel. */
typedef struct {
    double low, high;
} Span;

static void widen(Span *span, double value, bool first)
{
    span->low = first || value < span->low ? value : span->low;
    span->high = first || value > span->high ? value : span->high;
}

static void print_span(const char *name, Span span, FILE *file)
{
    fprintf(file, ", %s %.6g", name, span.low);
    if (span.high != span.low)
        fprintf(file, "..%.6g", span.high);
}

static const float *number_of(const Inspection *it, int tensor)
{
    return params_numbers(&it->config->net, tensor, it->weights.params,
                          it->weights.stats);
}

static void print_quantiser(const Inspection *it, const char *what, const Quantiser *q,
                            FILE *file)
{
    const Net *net = &it->config->net;
    if (q->quantizer == RT_QUANT_NONE)
        return;
    int count = params_steps(net, q);
    fprintf(file, "%s: %s, %.3g bits, %s", what, quantizer_words[q->quantizer],
            report_bits(net, q, it->weights.params),
            count > 1 ? "one step a channel" : "one step");
    if (it->weights.params) {
        const RtQuant quant = {
            .quantizer = q->quantizer, .bits = q->bits, .is_signed = q->is_signed};
        const float *steps = number_of(it, q->step), *ranges = number_of(it, q->range);
        Span step, top;
        for (int i = 0; i < count; i++) {
            int codes;
            float d = rt_quant_step(&quant, steps ? steps[i] : 0, ranges ? ranges[i] : 0,
                                    &codes);
            widen(&step, d, i == 0);
            widen(&top, ranges ? ranges[i] : (double)d * codes, i == 0);
        }
        print_span("step", step, file);
        print_span("range", top, file);
    } else {
        fputs(q->quantizer == RT_QUANT_STATIC ? "; its range: with --weights FILE"
                                              : "; as learned: with --weights FILE",
              file);
    }
    fputc('\n', file);
}

/* ---- Cost ---- */

static void print_cost(const Inspection *it, int layer, FILE *file)
{
    fprintf(file, "%-10s %-9s %4s %14s %14s %11s\n", "program", "pass", "ops", "MACs",
            "bytes moved", "MACs/byte");
    for (int program = 0; program < PROGRAM_COUNT; program++) {
        for (int backward = 0; backward < 2; backward++) {
            const Cost cost = inspect_cost(it, program, layer, backward);
            char macs[32], bytes[32];
            if (cost.ops == 0)
                continue;
            show_number(macs, cost.macs);
            show_number(bytes, cost.bytes);
            fprintf(file, "%-10s %-9s %4d %14s %14s %11.2f\n", program_names[program],
                    backward ? "backward" : "forward", cost.ops, macs, bytes,
                    cost.bytes > 0 ? cost.macs / cost.bytes : 0);
        }
    }
    fprintf(file,
            "an image; each tensor to memory and back once, weights shared by the %d "
            "images of a batch (infer: 1)\n",
            it->programs[PROGRAM_TRAIN].batch);
}

/* ---- Code ---- */

static void print_part(const Source *source, const Part *part, bool *printed, FILE *file)
{
    if (*printed) {
        fprintf(file, "\n%s:%d  %s: above\n", source->file, part->first, part->kernel);
        return;
    }
    *printed = true;
    fprintf(file, "\n%s:%d\n", source->file, part->first);
    for (int line = part->first; line <= part->last; line++)
        fprintf(file, "%s\n", source->lines[line]);
}

/* The functions of the layer's ops, and then the kernels they call. */
static void print_code(const Inspection *it, int program, int layer, bool backward,
                       bool *printed, FILE *file)
{
    const Source *source = inspect_source(it, program);
    const PartKind kinds[] = {PART_FUNCTION, PART_KERNEL};
    for (int k = 0; k < 2; k++) {
        for (int i = 0; i < source->map.count; i++) {
            const Part *part = &source->map.parts[i];
            if (part->kind == kinds[k] &&
                inspect_part_is_of(it, source, part, program, layer, backward))
                print_part(source, part, &printed[i], file);
        }
    }
}

static void print_program(const Inspection *it, int program, int layer, bool *printed,
                          FILE *file)
{
    static const char *const headings[PROGRAM_COUNT][2] = {
        {"C, training, forward", "C, training, backward"},
        {"C, evaluation", NULL},
        {"C, infer.c (constants left out)", NULL}};
    int by = inspect_done_by(it, program, layer);
    const char *name = it->config->net.ops[layer].name;
    for (int backward = 0; backward < 2; backward++) {
        if (inspect_cost(it, program, layer, backward).ops == 0)
            continue;
        heading(file, headings[program][backward]);
        print_code(it, program, layer, backward, printed, file);
    }
    if (by != layer) {
        heading(file, headings[program][0]);
        if (by == NONE)
            fprintf(file, "nothing is left of %s in this program\n", name);
        else
            fprintf(file, "%s is done by %s: lathe show %s %s\n", name,
                    it->config->net.ops[by].name, it->config->path,
                    it->config->net.ops[by].name);
    }
}

void show_layer(const Inspection *it, int layer, FILE *file)
{
    const Net *net = &it->config->net;
    const Op *op = &net->ops[layer];
    const ReportRow row = report_row(net, layer, it->weights.params);
    fprintf(file, "%s: %s, %s -> %s; %ld parameters, %ld MACs", op->name, row.kind,
            row.in, row.out, row.params, op->macs);
    if (row.bytes > 0)
        fprintf(file, ", %.0f bytes at %s bits", row.bytes, row.bits);
    fputc('\n', file);

    heading(file, "config");
    show_config_lines(it, op, file);
    if (op->quant.quantizer != RT_QUANT_NONE) {
        fputs("quant:", file);
        show_quant_fields(&op->quant, file);
        fputc('\n', file);
    }
    print_quantiser(it, op_is(op, ACTIVATION) ? "activation" : "weights", &op->own, file);
    print_quantiser(it, "bias", &op->bias, file);

    heading(file, "cost");
    print_cost(it, layer, file);

    for (int program = 0; program < PROGRAM_COUNT; program++) {
        char *title = rt_format("IR, %s", program_names[program]);
        if (inspect_done_by(it, program, layer) == layer) {
            heading(file, title);
            inspect_print_ir(it, program, layer, file);
        }
        free(title);
    }
    bool *printed[2] = {rt_alloc(it->network.map.count + 1),
                        rt_alloc(it->infer.map.count + 1)};
    for (int program = 0; program < PROGRAM_COUNT; program++) {
        if (program != PROGRAM_INFER || it->has_infer) {
            print_program(it, program, layer, printed[program == PROGRAM_INFER], file);
            continue;
        }
        heading(file, "C, infer.c");
        fprintf(file, "there is none: %s\n", it->refusal);
    }
    free(printed[0]);
    free(printed[1]);
}
