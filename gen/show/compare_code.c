/* Two generated files, as anyone might have them: cut into functions and constants at
 * column 0, where generated code begins and ends them; the comment over a function names
 * its layer. Functions of one name are compared, with the program diff. */
#include "gen/base/paths.h"
#include "gen/base/process.h"
#include "gen/base/scratch.h"
#include "gen/show/compare.h"
#include "runtime/base/support.h"
#include "runtime/base/text.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

typedef enum { PIECE_FUNCTION, PIECE_CONSTANT, PIECE_REST } PieceKind;

typedef struct {
    PieceKind kind;
    char name[256], layer[NAME_SIZE]; /* layer: "" for kernels */
    int number; /* among those of one name: #if branches have their own */
    int first, last;
} Piece;

typedef struct {
    const char *path;
    Source source;
    char name[256]; /* what names in a standalone file begin with: as "net_"; or "" */
    Piece *pieces;
    int count;
} Generated;

static bool begins(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

static bool ends(const char *text, const char *with)
{
    size_t length = strlen(text), n = strlen(with);
    return length >= n && strcmp(text + length - n, with) == 0;
}

/* The last name before `end`: of a function before its "(", of an array before "[" or "
 * =". */
static void name_before(const char *text, const char *end, char name[256])
{
    const char *first = end;
    while (first > text && (first[-1] == '_' || (first[-1] >= '0' && first[-1] <= '9') ||
                            ((first[-1] | 32) >= 'a' && (first[-1] | 32) <= 'z')))
        first--;
    snprintf(name, 256, "%.*s", (int)(end - first), first);
}

static int line_with(const Source *source, int line, const char *first,
                     const char *second)
{
    while (line < source->line_count && strcmp(source->lines[line], first) != 0 &&
           strcmp(source->lines[line], second) != 0)
        line++;
    return line;
}

/* The layer that the comment over a function names, or "". */
static void layer_named_in(const char *comment, char layer[NAME_SIZE])
{
    const char *name = comment + strlen("/* ");
    size_t length = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_");
    snprintf(layer, NAME_SIZE, "%.*s", name[length] == ':' ? (int)length : 0, name);
}

/* Whether a function begins in this line; its parameters may take some more. */
static bool has_body(const Source *source, int line)
{
    do
        line++;
    while (line <= source->line_count && begins(source->lines[line], "    "));
    return line <= source->line_count && strcmp(source->lines[line], "{") == 0;
}

/* A piece that begins in this line, or false. */
static bool piece_at(const Source *source, int line, Piece *piece)
{
    const char *text = source->lines[line], *open = strchr(text, '(');
    *piece = (Piece){.kind = PIECE_FUNCTION, .first = line};
    if (begins(text, "/* ") && ends(text, " */") && line + 2 <= source->line_count) {
        Piece below;
        if (!begins(source->lines[line + 1], "/*") &&
            piece_at(source, line + 1, &below) && below.kind == PIECE_FUNCTION) {
            *piece = below;
            piece->first = line;
            layer_named_in(text, piece->layer);
            return true;
        }
        return false;
    }
    if (open && text[0] != ' ' && text[0] != '#' && has_body(source, line)) {
        name_before(text, open, piece->name);
        piece->last = line_with(source, line, "}", "}");
        return true;
    }
    if (strstr(text, "const ") && text[0] != ' ' && ends(text, "{")) {
        const char *at = strchr(text, '[');
        piece->kind = PIECE_CONSTANT;
        name_before(text, at ? at : strstr(text, " ="), piece->name);
        piece->last = line_with(source, line, "};", "}};");
        return true;
    }
    return false;
}

/* What names in a standalone file begin with: its type of layers has it, too. */
static void find_name(Generated *it)
{
    static const char before[] = "typedef void ", after[] = "layer(";
    const Source *source = &it->source;
    for (int line = 1; line <= source->line_count; line++) {
        const char *text = source->lines[line];
        if (!begins(text, before))
            continue;
        const char *at = strstr(text, after);
        if (at)
            snprintf(it->name, sizeof it->name, "%.*s", (int)(at - text - strlen(before)),
                     text + strlen(before));
        return;
    }
}

static void add_piece(Generated *it, const Piece *piece)
{
    it->pieces = rt_grow(it->pieces, (it->count + 1) * sizeof(Piece));
    Piece *added = &it->pieces[it->count];
    *added = *piece;
    size_t known = strlen(it->name);
    if (begins(piece->name, it->name))
        snprintf(added->name, sizeof added->name, "%s", piece->name + known);
    for (int i = 0; i < it->count; i++)
        added->number += it->pieces[i].kind == added->kind &&
                         strcmp(it->pieces[i].name, added->name) == 0;
    it->count++;
}

static bool generated_read(Generated *it, const char *path)
{
    size_t bytes;
    *it = (Generated){.path = path};
    char *text = rt_read_file(path, &bytes);
    if (text == NULL)
        return false;
    source_set(&it->source, path, text, bytes);
    const Source *source = &it->source;
    int line = 1;
    if (source->line_count < 4 || !strstr(source->lines[2], "Generated by lathe"))
        return rt_fail("%s: not generated by lathe: want a network.c or infer.c", path);
    find_name(it);
    line = 4; /* behind the banner, which names the config and its hash */
    while (line <= source->line_count) {
        Piece piece;
        if (!piece_at(source, line, &piece))
            piece = (Piece){.kind = PIECE_REST, .first = line, .last = line};
        add_piece(it, &piece);
        line = piece.last + 1;
    }
    return true;
}

static void generated_free(Generated *it)
{
    source_free(&it->source);
    free(it->pieces);
}

static const Piece *find(const Generated *it, const Piece *like)
{
    for (int i = 0; i < it->count; i++)
        if (it->pieces[i].kind == like->kind && it->pieces[i].number == like->number &&
            strcmp(it->pieces[i].name, like->name) == 0)
            return &it->pieces[i];
    return NULL;
}

/* Lines of a piece; a comment's line number of the config may not matter, but is text,
 * too. */
static char *text_of(const Generated *it, const Piece *piece)
{
    char *text = NULL;
    size_t bytes;
    FILE *file = open_memstream(&text, &bytes);
    for (int line = piece ? piece->first : 1; piece && line <= piece->last; line++)
        fprintf(file, "%s\n", it->source.lines[line]);
    fclose(file);
    return text;
}

/* Everything outside functions and constants. */
static char *rest_of(const Generated *it)
{
    char *text = NULL;
    size_t bytes;
    FILE *file = open_memstream(&text, &bytes);
    for (int i = 0; i < it->count; i++)
        if (it->pieces[i].kind == PIECE_REST && it->source.lines[it->pieces[i].first][0])
            fprintf(file, "%s\n", it->source.lines[it->pieces[i].first]);
    fclose(file);
    return text;
}

static bool write_scratch(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    if (file == NULL)
        return rt_fail("%s: cannot be written", path);
    bool ok = fputs(text, file) >= 0;
    return (fclose(file) == 0 && ok) || rt_fail("%s: cannot be written", path);
}

/* Print what diff says of two texts that differ. */
static bool print_diff(const Scratch *scratch, const char *a, const char *b,
                       const char *label_a, const char *label_b, FILE *file)
{
    char *paths[2] = {rt_format("%s/a", scratch->folder),
                      rt_format("%s/b", scratch->folder)};
    bool ok = write_scratch(paths[0], a) && write_scratch(paths[1], b);
    const char *const words[] = {"diff",  "-u",     "--label", label_a, "--label",
                                 label_b, paths[0], paths[1],  NULL};
    size_t bytes;
    int status;
    char *text = ok ? program_output(words, "diffutils", &bytes, &status) : NULL;
    ok = text && (status == 1 || rt_fail("diff failed on what differs"));
    if (ok)
        fputs(text, file);
    free(text);
    free(paths[0]);
    free(paths[1]);
    return ok;
}

/* ---- By layer ---- */

typedef struct {
    const Generated *a, *b;
    const Scratch *scratch;
    FILE *file;
    const char *name; /* of the file */
    bool named, ok;   /* the file's name is printed; nothing failed */
} Comparison;

static void begin_file(Comparison *it)
{
    if (!it->named)
        fprintf(it->file, "%s\n", it->name);
    it->named = true;
}

static void compare_function(Comparison *it, const Piece *a, const Piece *b, bool *headed)
{
    char *text_a = text_of(it->a, a), *text_b = text_of(it->b, b);
    const Piece *any = a ? a : b;
    if (strcmp(text_a, text_b) != 0) {
        begin_file(it);
        if (!*headed)
            fprintf(it->file, "~ %s\n", any->layer[0] ? any->layer : "kernels and loops");
        *headed = true;
        if (a && b) {
            char *label_a = rt_format("%s:%d %s", it->a->path, a->first, any->name);
            char *label_b = rt_format("%s:%d %s", it->b->path, b->first, any->name);
            it->ok = it->ok &&
                     print_diff(it->scratch, text_a, text_b, label_a, label_b, it->file);
            free(label_a);
            free(label_b);
        } else {
            fprintf(it->file, "%s %s:%d %s\n", a ? "- only in" : "+ only in",
                    a ? it->a->path : it->b->path, any->first, any->name);
        }
    }
    free(text_a);
    free(text_b);
}

/* Functions of the layer ("": kernels) in either file. */
static void compare_layer(Comparison *it, const char *layer)
{
    bool headed = false;
    for (int side = 0; side < 2; side++) {
        const Generated *from = side ? it->b : it->a, *other = side ? it->a : it->b;
        for (int i = 0; i < from->count; i++) {
            const Piece *piece = &from->pieces[i], *match = find(other, piece);
            if (piece->kind != PIECE_FUNCTION || strcmp(piece->layer, layer) != 0)
                continue;
            if (side == 0)
                compare_function(it, piece, match, &headed);
            else if (match == NULL)
                compare_function(it, NULL, piece, &headed);
        }
    }
}

static bool is_first_of_layer(const Generated *it, int piece)
{
    for (int i = 0; i < piece; i++)
        if (strcmp(it->pieces[i].layer, it->pieces[piece].layer) == 0)
            return false;
    return it->pieces[piece].layer[0] != 0;
}

static bool has_layer(const Generated *it, const char *layer)
{
    for (int i = 0; i < it->count; i++)
        if (strcmp(it->pieces[i].layer, layer) == 0)
            return true;
    return false;
}

static void compare_constants(Comparison *it)
{
    int differ = 0;
    for (int side = 0; side < 2; side++) {
        const Generated *from = side ? it->b : it->a, *other = side ? it->a : it->b;
        for (int i = 0; i < from->count; i++) {
            const Piece *piece = &from->pieces[i], *match = find(other, piece);
            if (piece->kind != PIECE_CONSTANT || (side && match))
                continue;
            char *text = text_of(from, piece), *its = text_of(other, match);
            if (strcmp(text, its) != 0) {
                begin_file(it);
                fprintf(it->file, "%s%s%s", differ ? ", " : "~ constants: ", piece->name,
                        match  ? ""
                        : side ? " (only in the second)"
                               : " (only in the first)");
                differ++;
            }
            free(text);
            free(its);
        }
    }
    if (differ)
        fputc('\n', it->file);
}

static bool compare_files(const Generated *a, const Generated *b, const char *name,
                          const Scratch *scratch, bool *any, FILE *file)
{
    Comparison it = {a, b, scratch, file, name, false, true};
    if (strcmp(a->source.lines[3], b->source.lines[3]) != 0) {
        begin_file(&it);
        fprintf(file, "< %s\n> %s\n", a->source.lines[3], b->source.lines[3]);
    }
    for (int i = 0; i < a->count; i++)
        if (is_first_of_layer(a, i))
            compare_layer(&it, a->pieces[i].layer);
    for (int i = 0; i < b->count; i++)
        if (is_first_of_layer(b, i) && !has_layer(a, b->pieces[i].layer))
            compare_layer(&it, b->pieces[i].layer);
    compare_layer(&it, "");
    compare_constants(&it);
    char *rest_a = rest_of(a), *rest_b = rest_of(b);
    if (strcmp(rest_a, rest_b) != 0) {
        begin_file(&it);
        fputs("~ outside functions\n", file);
        it.ok = it.ok && print_diff(scratch, rest_a, rest_b, a->path, b->path, file);
    }
    free(rest_a);
    free(rest_b);
    *any = *any || it.named;
    return it.ok;
}

/* ---- Folders ---- */

static bool is_folder(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

static bool compare_paths(const char *path_a, const char *path_b, const char *name,
                          const Scratch *scratch, bool *any, FILE *file)
{
    Generated a = {0}, b = {0};
    bool ok = generated_read(&a, path_a) && generated_read(&b, path_b) &&
              compare_files(&a, &b, name, scratch, any, file);
    generated_free(&a);
    generated_free(&b);
    return ok;
}

static bool compare_folders(const char *a, const char *b, const Scratch *scratch,
                            bool *any, FILE *file)
{
    static const char *const names[] = {"network.c", "train.c", "infer.c"};
    bool ok = true;
    int found = 0;
    for (int i = 0; i < 3 && ok; i++) {
        char *path_a = rt_format("%s/%s", a, names[i]),
             *path_b = rt_format("%s/%s", b, names[i]);
        bool in_a = access(path_a, R_OK) == 0, in_b = access(path_b, R_OK) == 0;
        found += in_a || in_b;
        if (in_a && in_b) {
            ok = compare_paths(path_a, path_b, names[i], scratch, any, file);
        } else if (in_a || in_b) {
            fprintf(file, "%s\n%s only in %s\n", names[i], in_a ? "-" : "+",
                    in_a ? a : b);
            *any = true;
        }
        free(path_a);
        free(path_b);
    }
    return ok &&
           (found || rt_fail("%s and %s have no network.c, train.c or infer.c", a, b));
}

bool compare_code(const char *a, const char *b, FILE *file)
{
    if (is_folder(a) != is_folder(b))
        return rt_fail("diff: %s is a folder, %s is none; want two of a kind",
                       is_folder(a) ? a : b, is_folder(a) ? b : a);
    Scratch scratch;
    char *beside = rt_format("%s/diff", cache_folder());
    bool any = false, ok = scratch_begin(&scratch, beside);
    free(beside);
    if (!ok)
        return false;
    char *text = NULL; /* the files may hold anything */
    size_t bytes;
    FILE *stream = open_memstream(&text, &bytes);
    ok = is_folder(a) ? compare_folders(a, b, &scratch, &any, stream)
                      : compare_paths(a, b, a, &scratch, &any, stream);
    fclose(stream);
    rt_put_lines(text, file);
    free(text);
    scratch_end(&scratch);
    if (ok && !any)
        fputs("identical\n", file);
    return ok;
}
