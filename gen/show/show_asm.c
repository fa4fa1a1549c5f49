/* `lathe show CONFIG LAYER --asm`: which instructions of an object are a layer's.
 * Functions called once are inlined, so symbols do not tell; the debugger's line numbers
 * do, with the chain of calls each instruction was inlined by. */
#include "gen/base/paths.h"
#include "gen/base/process.h"
#include "gen/run/build.h"
#include "gen/show/show_layer.h"
#include "runtime/base/support.h"

#include <stdlib.h>
#include <string.h>

enum { MOST_CHAIN = 16 };

/* Instructions by the widest vector they name. A 128-bit register counts as a vector when
 * the instruction works on all of it, as scalar floating point when not. */
typedef struct {
    long all, bits512, bits256, bits128, scalar;
} Tally;

/* A walk over the lines objdump prints. */
typedef struct {
    const Source *source;
    const bool *function, *kernel; /* by line: the layer's, and what it calls */
    int chain[MOST_CHAIN];         /* lines an instruction comes from, innermost first */
    int depth, shown;              /* shown: the line of C above the last instruction */
    char symbol[KERNEL_SIZE + 64];
    Tally tally;
    FILE *file;
} Walk;

static bool ends_with(const char *text, size_t length, const char *end)
{
    size_t n = strlen(end);
    return length >= n && strncmp(text + length - n, end, n) == 0;
}

/* Works on one number: mulss, cvtsi2sd; but not pmaxsd, whose d are many integers. */
static bool is_scalar_float(const char *mnemonic)
{
    const char *word = mnemonic + (mnemonic[0] == 'v');
    size_t length = strcspn(word, " ");
    char copy[32];
    snprintf(copy, sizeof copy, "%.*s", (int)length, word);
    return strcmp(copy, "movd") == 0 || strcmp(copy, "movq") == 0 ||
           (copy[0] != 'p' &&
            (ends_with(copy, length, "ss") || ends_with(copy, length, "sd") ||
             strstr(copy, "ss2") || strstr(copy, "sd2")));
}

static bool is_padding(const char *text)
{
    return strncmp(text, "nop", 3) == 0 || strncmp(text, "cs nop", 6) == 0 ||
           strncmp(text, "data16", 6) == 0 || strcmp(text, "xchg   ax,ax") == 0;
}

static void count(Tally *tally, const char *text)
{
    char operands[256]; /* without names of functions */
    snprintf(operands, sizeof operands, "%.*s", (int)strcspn(text, "<#"), text);
    tally->all++;
    if (strstr(operands, "zmm"))
        tally->bits512++;
    else if (strstr(operands, "ymm"))
        tally->bits256++;
    else if (strstr(operands, "xmm") && is_scalar_float(operands))
        tally->scalar++;
    else if (strstr(operands, "xmm"))
        tally->bits128++;
}

/* "/path/network.c:123 (discriminator 2)", of our file, as an element of the chain. */
static void take_line(Walk *walk, const char *text)
{
    const char *by = strstr(text, "inlined by ");
    const char *place = by ? by + strlen("inlined by ") : text;
    const char *colon = strrchr(place, ':');
    if (!by)
        walk->depth = 0;
    if (colon == NULL || walk->depth == MOST_CHAIN)
        return;
    bool own = ends_with(place, colon - place, walk->source->file);
    int line = atoi(colon + 1);
    walk->chain[walk->depth++] = own && line <= walk->source->line_count ? line : 0;
}

/* Whether the instruction is the layer's: of its function, wherever that was inlined, or
 * of a kernel it shares with other layers. */
static bool is_ours(const Walk *walk)
{
    bool kernel = false;
    for (int i = 0; i < walk->depth; i++) {
        if (walk->function[walk->chain[i]])
            return true;
        kernel = walk->kernel[walk->chain[i]];
    }
    return kernel; /* the outermost: not inlined into another layer's function */
}

static void take_instruction(Walk *walk, const char *address)
{
    const char *text = strchr(address, '\t');
    if (text == NULL || !is_ours(walk) || is_padding(text + 1))
        return;
    int line = 0;
    for (int i = 0; i < walk->depth && line == 0; i++)
        line = walk->chain[i];
    if (walk->symbol[0])
        fprintf(walk->file, "\n%s:\n", walk->symbol);
    if (walk->symbol[0] || line != walk->shown)
        fprintf(walk->file, "%s:%d  %s\n", walk->source->file, line,
                walk->source->lines[line]);
    walk->symbol[0] = 0;
    walk->shown = line;
    fprintf(walk->file, "    %s\n", address + strspn(address, " "));
    count(&walk->tally, text + 1);
}

static void walk_disassembly(Walk *walk, char *text)
{
    for (char *line; (line = strsep(&text, "\n"));) {
        size_t length = strlen(line);
        char *name = strchr(line, '<');
        if (name && ends_with(line, length, ">:")) {
            snprintf(walk->symbol, sizeof walk->symbol, "%.*s", (int)strlen(name) - 3,
                     name + 1);
            walk->depth = 0;
        } else if (line[0] == ' ' && strchr(line, '\t')) {
            take_instruction(walk, line);
        } else if (strchr(line, '/') && strchr(line, ':')) {
            take_line(walk, line);
        }
    }
}

static void print_tally(const Tally *tally, FILE *file)
{
    long vectors = tally->bits512 + tally->bits256 + tally->bits128;
    fprintf(
        file,
        "\n%ld instructions as they lie in the object, padding aside; %.1f %% are vector "
        "instructions:\n%ld of 512 bits, %ld of 256, %ld of 128; %ld scalar floating "
        "point, "
        "%ld others\n",
        tally->all, tally->all ? 100.0 * vectors / tally->all : 0, tally->bits512,
        tally->bits256, tally->bits128, tally->scalar,
        tally->all - vectors - tally->scalar);
}

static bool disassemble(const char *object, Walk *walk)
{
    const char *const words[] = {
        "objdump", "-d", "-l",    "--inlines", "--no-show-raw-insn",
        "-w",      "-M", "intel", object,      NULL};
    size_t bytes;
    int status;
    char *text = program_output(words, "binutils", &bytes, &status);
    if (text && status == 0)
        walk_disassembly(walk, text);
    free(text);
    return text && (status == 0 || rt_fail("%s: objdump failed", object));
}

/* Print what the object has of the layer, as `source` was compiled. */
static bool print_object(const Inspection *it, const char *object, const Source *source,
                         int program, int layer, bool backward, FILE *file)
{
    bool *function = rt_alloc(source->line_count + 2),
         *kernel = rt_alloc(source->line_count + 2);
    for (int i = 0; i < source->map.count; i++) {
        const Part *part = &source->map.parts[i];
        bool *lines = part->kind == PART_FUNCTION ? function
                      : part->kind == PART_KERNEL ? kernel
                                                  : NULL;
        if (lines && inspect_part_is_of(it, inspect_source(it, program), part, program,
                                        layer, backward))
            memset(lines + part->first, true, part->last - part->first + 1);
    }
    Walk walk = {.source = source, .function = function, .kernel = kernel, .file = file};
    fprintf(file, "\n---- machine code, %s, %s ----\n", program_names[program],
            backward ? "backward" : "forward");
    bool ok = disassemble(object, &walk);
    if (ok)
        print_tally(&walk.tally, file);
    free(function);
    free(kernel);
    return ok;
}

/* infer.c with its constants, compiled for the target. */
static char *build_infer(const Inspection *it, const char *folder, Source *source)
{
    bool ok = inspect_render_infer(it, &it->constants, source);
    char *path = rt_format("%s/infer.c", folder),
         *object = rt_format("%s/infer.o", folder);
    FILE *memory;
    char *text = NULL;
    size_t bytes;
    memory = open_memstream(&text, &bytes);
    for (int line = 1; line <= source->line_count; line++)
        fprintf(memory, "%s\n", source->lines[line]);
    fclose(memory);
    ok = ok && inspect_write_header(it, folder) && rt_write_if_changed(path, text, bytes);
    free(text);
    char *flags = rt_format("gcc -std=c99 -O3 -g -ffp-contract=fast %s -c -o",
                            it->subject.compile->target->cflags);
    const char *words[24];
    int count = 0, status = 0;
    for (char *rest = flags, *word; (word = strsep(&rest, " "));)
        if (*word)
            words[count++] = word;
    words[count++] = object;
    words[count++] = path;
    words[count] = NULL;
    char *said = ok ? program_output(words, "gcc", &bytes, &status) : NULL;
    ok = said && (status == 0 || rt_fail("%s: gcc failed", path));
    free(said);
    free(flags);
    free(path);
    if (ok)
        return object;
    free(object);
    return NULL;
}

static bool show_infer(const Inspection *it, const char *folder, int layer, FILE *file)
{
    if (inspect_cost(it, PROGRAM_INFER, layer, false).ops == 0)
        return true;
    if (it->constants.count == 0) {
        fprintf(file, "\n---- machine code, infer ----\n%s\n",
                it->refusal
                    ? it->refusal
                    : "of infer.c with the constants of a checkpoint: --weights FILE");
        return true;
    }
    Source source = {0};
    char *object = build_infer(it, folder, &source);
    bool ok =
        object && print_object(it, object, &source, PROGRAM_INFER, layer, false, file);
    source_free(&source);
    free(object);
    return ok;
}

bool show_assembly(const Inspection *it, int layer, FILE *file)
{
#ifndef __x86_64__
    return rt_fail("--asm: reads x86-64 instructions only");
#endif
    const CompileOptions *options = it->subject.compile;
    char *folder = rt_format("%s/show/%.16s_%s_%s", cache_folder(), it->config->hash,
                             options->target->name,
                             options->lowering ? lowering_names[*options->lowering] : "");
    char *command = inspect_command(it);
    TrainerFiles files;
    bool ok = trainer_files_make(it->config, options, command, NULL, &files);
    char *object = ok ? build_object(&files) : NULL;
    trainer_files_free(&files);
    ok = object != NULL;
    for (int program = PROGRAM_TRAIN; ok && program <= PROGRAM_EVALUATE; program++)
        for (int backward = 0; ok && backward < 2; backward++)
            if (inspect_cost(it, program, layer, backward).ops > 0)
                ok = print_object(it, object, &it->network, program, layer, backward,
                                  file);
    ok = ok && show_infer(it, folder, layer, file);
    free(object);
    free(command);
    free(folder);
    return ok;
}
