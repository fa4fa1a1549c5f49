/* Two configs: what a person would have to read twice to see. Layers are matched by name,
 * the ops they became by program, kind and order. */
#include "gen/show/compare.h"

#include "gen/emit/report.h"
#include "gen/show/show_layer.h"
#include "runtime/base/support.h"

#include <stdlib.h>
#include <string.h>

/* Text that grows; what is printed only when there is something to print. */
typedef struct {
    char *text;
    size_t bytes;
    FILE *file;
} Note;

static void note_begin(Note *note)
{
    *note = (Note){0};
    note->file = open_memstream(&note->text, &note->bytes);
}

/* ---- Lists of words: "name=value" ---- */

static const char *value_of(const char *word)
{
    const char *equals = strchr(word, '=');
    return equals ? equals + 1 : "yes";
}

static bool same_name(const char *a, const char *b)
{
    size_t n = strcspn(a, "=");
    return n == strcspn(b, "=") && strncmp(a, b, n) == 0;
}

/* Cut at any of `between`, in place; the number of words, to be freed as a list. */
static int cut(char *text, const char *between, char ***words)
{
    int count = 0;
    *words = rt_alloc((strlen(text) + 1) * sizeof(char *));
    for (char *word; (word = strsep(&text, between));)
        if (*word)
            (*words)[count++] = word;
    return count;
}

static const char *find_word(char **words, int count, const char *like)
{
    for (int i = 0; i < count; i++)
        if (same_name(words[i], like))
            return words[i];
    return NULL;
}

static bool left_out(const char *word, const char *const *skip)
{
    for (; skip && *skip; skip++)
        if (same_name(word, *skip))
            return true;
    return false;
}

/* Print the words that differ, as "before name a -> b". */
static void compare_words(const char *a, const char *b, const char *between,
                          const char *before, const char *const *skip, FILE *file)
{
    char *copies[2] = {rt_format("%s", a), rt_format("%s", b)}, **words[2];
    int counts[2];
    for (int side = 0; side < 2; side++)
        counts[side] = cut(copies[side], between, &words[side]);
    for (int i = 0; i < counts[0]; i++) {
        const char *other = find_word(words[1], counts[1], words[0][i]);
        if (left_out(words[0][i], skip) || (other && strcmp(other, words[0][i]) == 0))
            continue;
        fprintf(file, "%s%.*s %s -> %s\n", before, (int)strcspn(words[0][i], "="),
                words[0][i], value_of(words[0][i]), other ? value_of(other) : "(none)");
    }
    for (int i = 0; i < counts[1]; i++)
        if (!left_out(words[1][i], skip) && !find_word(words[0], counts[0], words[1][i]))
            fprintf(file, "%s%.*s (none) -> %s\n", before, (int)strcspn(words[1][i], "="),
                    words[1][i], value_of(words[1][i]));
    for (int side = 0; side < 2; side++) {
        free(copies[side]);
        free(words[side]);
    }
}

/* ---- A layer ---- */

static const Op *op_of(const Net *net, int layer, OpKind kind, int number)
{
    for (int i = 0; i < net->op_count; i++)
        if (net->ops[i].layer == layer && net->ops[i].kind == kind && number-- == 0)
            return &net->ops[i];
    return NULL;
}

static char *op_words(const Op *op)
{
    Note note;
    note_begin(&note);
    if (op)
        op_dump_fields(op, note.file);
    fclose(note.file);
    return note.text;
}

static int ops_of(const Net *net, int layer, OpKind kind)
{
    int count = 0;
    while (op_of(net, layer, kind, count))
        count++;
    return count;
}

/* The ops of the layer in one program. */
static void compare_ops(const Net *a, int layer_a, const Net *b, int layer_b,
                        const char *program, FILE *file)
{
    static const char *const skip[] = {
        "segment", "kernel", "own", "bias",
        "input",   "other",  NULL}; /* said of their layers */
    for (int kind = 0; kind < OP_KINDS; kind++) {
        int in_a = ops_of(a, layer_a, kind), in_b = ops_of(b, layer_b, kind);
        for (int i = 0; i < in_a || i < in_b; i++) {
            if (i >= in_a || i >= in_b) {
                fprintf(file, "    %s: %s %s\n", program, i < in_a ? "no more" : "now",
                        op_info[kind].name);
                continue;
            }
            char *before = rt_format("    %s %s: ", program, op_info[kind].name);
            char *words_a = op_words(op_of(a, layer_a, kind, i));
            char *words_b = op_words(op_of(b, layer_b, kind, i));
            compare_words(words_a, words_b, " ", before, skip, file);
            free(before);
            free(words_a);
            free(words_b);
        }
    }
}

/* What the table says of the layer, and its place in the config and the graph. */
static char *layer_words(const Inspection *it, int layer)
{
    const Net *net = &it->config->net;
    const Op *op = &net->ops[layer];
    ReportRow row = report_row(net, layer, NULL);
    char *space = strchr(row.kind, ' ');
    if (space)
        *space = ','; /* one word */
    Note note;
    note_begin(&note);
    fprintf(note.file,
            "op=%s\nin=%s\nout=%s\nbits=%s\nparameters=%ld\nMACs=%ld\nbytes=%.0f\n",
            row.kind, row.in, row.out, row.bits, row.params, op->macs, row.bytes);
    fputs("reads=", note.file);
    for (int i = 0; i < OP_INPUTS; i++)
        if (op->in[i] != NONE && net->tensors[op->in[i]].role != ROLE_PARAM &&
            net->tensors[op->in[i]].role != ROLE_STAT)
            fprintf(note.file, "%s%s", i ? "," : "", net->tensors[op->in[i]].name);
    fputc('\n', note.file);
    for (int program = 0; program < PROGRAM_COUNT; program++)
        for (int backward = 0; backward < 2; backward++) {
            const Cost cost = inspect_cost(it, program, layer, backward);
            if (cost.ops > 0)
                fprintf(note.file, "%s-%s-bytes-moved=%.0f\n", program_names[program],
                        backward ? "backward" : "forward", cost.bytes);
        }
    if (op->own.quantizer != RT_QUANT_NONE)
        show_quant_fields(&op->quant, note.file);
    fclose(note.file);
    return note.text;
}

static char *layer_changes(const Inspection *a, int layer_a, const Inspection *b,
                           int layer_b)
{
    Note note;
    note_begin(&note);
    char *words_a = layer_words(a, layer_a), *words_b = layer_words(b, layer_b);
    compare_words(words_a, words_b, "\n ", "    ", NULL, note.file);
    free(words_a);
    free(words_b);
    for (int program = 0; program < PROGRAM_COUNT; program++)
        if (a->has_infer == b->has_infer || program != PROGRAM_INFER)
            compare_ops(&a->programs[program], layer_a, &b->programs[program], layer_b,
                        program_names[program], note.file);
    fclose(note.file);
    return note.text;
}

/* ---- All ---- */

static int layer_named(const Net *net, const char *name)
{
    for (int i = 0; i < net->op_count; i++)
        if (strcmp(net->ops[i].name, name) == 0)
            return i;
    return NONE;
}

static void print_only(const Inspection *it, const Inspection *other, const char *mark,
                       FILE *file)
{
    const Net *net = &it->config->net;
    for (int i = 0; i < net->op_count; i++) {
        if (layer_named(&other->config->net, net->ops[i].name) != NONE)
            continue;
        const ReportRow row = report_row(net, i, NULL);
        fprintf(file, "%s %s: %s, %s -> %s, %ld MACs\n", mark, net->ops[i].name, row.kind,
                row.in, row.out, net->ops[i].macs);
    }
}

/* Layers that changed alike are named together. */
static void print_changed(const Inspection *a, const Inspection *b, FILE *file)
{
    const Net *net = &a->config->net;
    char **changes = rt_alloc(net->op_count * sizeof(char *));
    for (int i = 0; i < net->op_count; i++) {
        int other = layer_named(&b->config->net, net->ops[i].name);
        changes[i] = other == NONE ? rt_format("%s", "") : layer_changes(a, i, b, other);
    }
    for (int i = 0; i < net->op_count; i++) {
        if (changes[i][0] == 0)
            continue;
        fprintf(file, "~ %s", net->ops[i].name);
        for (int j = i + 1; j < net->op_count; j++) {
            if (strcmp(changes[i], changes[j]) != 0)
                continue;
            fprintf(file, ", %s", net->ops[j].name);
            changes[j][0] = 0;
        }
        fprintf(file, "\n%s", changes[i]);
    }
    for (int i = 0; i < net->op_count; i++)
        free(changes[i]);
    free(changes);
}

static char *totals(const Inspection *it)
{
    const Net *net = &it->config->net;
    long params = 0, macs = 0;
    double bytes = 0;
    Note note;
    for (int i = 0; i < net->op_count; i++) {
        const ReportRow row = report_row(net, i, NULL);
        params += row.params;
        macs += net->ops[i].macs;
        bytes += row.bytes;
    }
    note_begin(&note);
    fprintf(note.file, "parameters=%ld\nMACs=%ld\nbytes of weights=%.0f\n", params, macs,
            bytes);
    for (int i = 0; i < (it->has_infer ? PROGRAM_COUNT : PROGRAM_INFER); i++)
        fprintf(note.file, "arena bytes of %s=%ld\n", program_names[i],
                it->programs[i].arena_bytes);
    fclose(note.file);
    return note.text;
}

static void print_section(const char *title, Note *note, bool *any, FILE *file)
{
    fclose(note->file);
    if (note->bytes > 0)
        fprintf(file, "%s%s\n%s", *any ? "\n" : "", title, note->text);
    *any = *any || note->bytes > 0;
    free(note->text);
}

void compare_configs(const Inspection *a, const Inspection *b, FILE *file)
{
    bool any = false;
    Note note;
    note_begin(&note);
    compare_words(a->config->lines, b->config->lines, "\n", "  ", NULL, note.file);
    print_section("fields", &note, &any, file);
    note_begin(&note);
    print_only(a, b, "-", note.file);
    print_only(b, a, "+", note.file);
    print_changed(a, b, note.file);
    print_section("layers (- only in the first, + only in the second, ~ changed)", &note,
                  &any, file);
    note_begin(&note);
    char *totals_a = totals(a), *totals_b = totals(b);
    compare_words(totals_a, totals_b, "\n", "  ", NULL, note.file);
    free(totals_a);
    free(totals_b);
    print_section("totals", &note, &any, file);
    if (!any)
        fputs("identical\n", file);
}
