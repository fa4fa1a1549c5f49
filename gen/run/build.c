/* Building trainers: see build.h. All that goes into one is read once, hashed, and
 * written to a private folder, where make works on these very bytes. network.o is an
 * entry of its own, because most changes of a recipe leave the network as it is. */
#include "gen/run/build.h"

#include "gen/base/paths.h"
#include "gen/base/process.h"
#include "gen/run/cache.h"
#include "runtime/base/support.h"
#include "runtime/base/text.h"

#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A file that goes into a build, by its name in the private folder. */
typedef struct {
    char *name, *data;
    size_t bytes;
} Piece;

typedef struct {
    Piece *pieces;
    int count;
    bool ok; /* all could be read */
} Pieces;

static void add(Pieces *all, char *name, char *data, size_t bytes)
{
    all->pieces = rt_grow(all->pieces, (size_t)(all->count + 1) * sizeof *all->pieces);
    all->pieces[all->count++] = (Piece){name, data, bytes};
    all->ok = all->ok && data;
}

static void add_text(Pieces *all, const char *name, const char *text)
{
    add(all, rt_format("%s", name), rt_format("%s", text), strlen(text));
}

/* The file at `path`, called `name` in the build. */
static void add_file(Pieces *all, const char *path, const char *name)
{
    size_t bytes = 0;
    char *data = rt_read_file(path, &bytes);
    add(all, rt_format("%s", name), data, bytes);
}

/* One of lathe's own. */
static void add_own(Pieces *all, const char *name)
{
    char *path = rt_format("%s/%s", lathe_root(), name);
    add_file(all, path, name);
    free(path);
}

static void pieces_free(Pieces *all)
{
    for (int i = 0; i < all->count; i++) {
        free(all->pieces[i].name);
        free(all->pieces[i].data);
    }
    free(all->pieces);
}

static bool has(const Pieces *all, const char *name)
{
    for (int i = 0; i < all->count; i++)
        if (strcmp(all->pieces[i].name, name) == 0)
            return true;
    return false;
}

/* The headers of lathe's that `text` includes, by paths from the root. */
static void add_headers(Pieces *all, const char *text)
{
    static const char include[] = "\n#include \"";
    while (text && (text = strstr(text, include)) != NULL) {
        text += strlen(include);
        char *name = rt_format("%.*s", (int)strcspn(text, "\"\n"), text);
        if (!has(all, name))
            add_own(all, name);
        free(name);
    }
}

/* Sources with the headers they include, and those include. */
static Pieces source_pieces(const TrainerFiles *files, bool tables)
{
    Pieces all = {.ok = true};
    add_text(&all, "network.c", files->network);
    if (tables)
        add_text(&all, "train.c", files->train);
    if (tables && files->mpi)
        add_own(&all, "runtime/peers/mpi.c");
    for (int i = 0; i < all.count; i++)
        add_headers(&all, all.pieces[i].data);
    add_text(&all, "Makefile", files->makefile);
    return all;
}

/* SHA-256 of names, sizes and contents. */
static void hash_pieces(const Pieces *all, char hex[65])
{
    char *list = NULL;
    size_t bytes;
    FILE *stream = open_memstream(&list, &bytes);
    for (int i = 0; i < all->count; i++) {
        char sum[65];
        rt_sha256(all->pieces[i].data, all->pieces[i].bytes, sum);
        fprintf(stream, "%s %s\n", sum, all->pieces[i].name);
    }
    fclose(stream);
    rt_sha256(list, bytes, hex);
    free(list);
}

static bool write_piece(const char *folder, const Piece *piece)
{
    char *path = rt_format("%s/%s", folder, piece->name), *copy = rt_format("%s", path);
    bool ok = rt_make_directories(dirname(copy));
    FILE *file = ok ? fopen(path, "wb") : NULL;
    ok = file && fwrite(piece->data, 1, piece->bytes, file) == piece->bytes;
    ok = (file == NULL || fclose(file) == 0) && ok;
    if (!ok)
        rt_fail("%s: cannot be written", path);
    free(path);
    free(copy);
    return ok;
}

/* Run make in the folder, its output shown only when it fails. */
static bool run_make(const char *folder, const char *product)
{
    char *log = rt_format("%s/build.log", folder);
    const char *const words[] = {"env", "-u",   "MAKEFLAGS", "-u",    "MAKELEVEL", "make",
                                 "-C",  folder, "LATHE=.",   product, NULL};
    bool ok = program_logged(words, log);
    if (!ok && signals_none()) {
        size_t bytes;
        char *text = rt_read_file(log, &bytes);
        rt_put_lines(text ? text : "", stderr);
        free(text);
        rt_fail("%s: make failed; it needs make and gcc", product);
    }
    free(log);
    return ok;
}

/* Make the product of the pieces, and of `object` (or NULL) as its network.o. */
static char *make_product(const Pieces *all, const char *object, const char *hash,
                          const char *product)
{
    PrivateFolder work;
    Pieces more = {.ok = true};
    if (object)
        add_file(&more, object, "network.o");
    bool ok = cache_begin(&work) && more.ok;
    for (int i = 0; ok && i < all->count; i++)
        ok = write_piece(work.path, &all->pieces[i]);
    for (int i = 0; ok && i < more.count; i++)
        ok = write_piece(work.path, &more.pieces[i]); /* newer than the sources */
    ok = ok && run_make(work.path, product);
    char *path = ok ? cache_keep(&work, hash, product) : NULL;
    private_end(&work);
    pieces_free(&more);
    return path;
}

char *build_object(const TrainerFiles *files)
{
    char hash[65], *path = NULL;
    Pieces all = source_pieces(files, false);
    if (all.ok) {
        hash_pieces(&all, hash);
        path = cache_find(hash, "network.o");
    }
    if (all.ok && path == NULL)
        path = make_product(&all, NULL, hash, "network.o");
    pieces_free(&all);
    return path;
}

/* A product of the Makefile that has network.o in it; `library`: and lathe's runtime. */
static char *build_linked(const TrainerFiles *files, const char *product, bool library)
{
    char hash[65], *path = NULL;
    Pieces all = source_pieces(files, true);
    if (library)
        add_own(&all, "out/libruntime.a");
    if (all.ok) {
        hash_pieces(&all, hash);
        path = cache_find(hash, product);
    }
    if (all.ok && path == NULL) {
        char *object = build_object(files);
        path = object ? make_product(&all, object, hash, product) : NULL;
        free(object);
    }
    pieces_free(&all);
    return path;
}

char *build_trainer(const TrainerFiles *files)
{
    return build_linked(files, "trainer", true);
}

bool build_put(const char *program, const char *path)
{
    size_t bytes;
    Replacement r;
    char *data = rt_read_file(program, &bytes);
    bool ok = data && rt_replace_begin(&r, path);
    if (ok) {
        fwrite(data, 1, bytes, r.file);
        fchmod(fileno(r.file), 0755);
        ok = rt_replace_commit(&r);
    }
    free(data);
    return ok;
}

char *build_trainer_of(const Config *config, const CompileOptions *options,
                       const char *command)
{
    TrainerFiles files;
    bool ok = trainer_files_make(config, options, command, NULL, &files);
    char *path = ok ? build_trainer(&files) : NULL;
    trainer_files_free(&files);
    return path;
}

char *build_library(const TrainerFiles *files)
{
    return build_linked(files, "network.so", false);
}

void build_clean(void)
{
    cache_clean();
}
