/* What a session leaves in files: its config, its weights, the standalone inference file.
 */
#include "gen/session/session.h"

#include "gen/base/paths.h"
#include "gen/emit/infer_file.h"
#include "gen/run/scores.h"
#include "gen/session/session_state.h"
#include "runtime/base/support.h"

#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { CALIBRATION = 32 }; /* images for ranges, as for an evaluation */

/* ---- The config ---- */

/* A line that makes a table of the first `length` characters of override i's path, unless
 * one before it did. */
static void write_table(FILE *file, char *const *sets, int i, int length)
{
    for (int j = 0; j < i; j++)
        if (strncmp(sets[j], sets[i], length) == 0 && strchr(".+=", sets[j][length]))
            return;
    fprintf(file, "config.%.*s = config.%.*s or {}\n", length, sets[i], length, sets[i]);
}

/* Override i as a statement. */
static void write_set(FILE *file, char *const *sets, int i)
{
    const char *set = sets[i], *equals = strchr(set, '=');
    bool append = equals[-1] == '+';
    int length = (int)(equals - set) - append;
    for (int end = 0; end < length + append; end++)
        if (set[end] == '.' || set[end] == '+')
            write_table(file, sets, i, end);
    if (append)
        fprintf(file, "config.%.*s[#config.%.*s + 1] = %s\n", length, set, length, set,
                equals + 1);
    else
        fprintf(file, "config.%.*s = %s\n", length, set, equals + 1);
}

/* The folder of a path, resolved; free() it. NULL when there is no such folder. */
static char *folder_of(const char *path)
{
    char *copy = rt_format("%s", path);
    char *folder = realpath(dirname(copy), NULL);
    free(copy);
    return folder;
}

/* "configs/resnet20.lua" -> "resnet20"; free() it. */
static char *plain_name(const char *path)
{
    char *copy = rt_format("%s", path);
    char *base = basename(copy);
    size_t length = strlen(base);
    char *name = rt_format("%.*s", (int)(length > 4 ? length - 4 : length), base);
    free(copy);
    return name;
}

/* Whether `names`, one a line, has the name. */
static bool has_line(const char *names, const char *name)
{
    size_t length = strlen(name);
    for (const char *line = names; *line; line += strcspn(line, "\n") + 1)
        if (strncmp(line, name, length) == 0 && line[length] == '\n')
            return true;
    return false;
}

/* The file beside the config as a function of the saved one. */
static bool write_file(FILE *file, const char *folder, const char *name)
{
    char *path = rt_format("%s/%s.lua", folder, name);
    char *text = rt_read_file(path, NULL);
    if (text)
        fprintf(file, "\nfiles[\"%s\"] = function()\n%s\nend\n", name, text);
    free(path);
    free(text);
    return text != NULL;
}

/* The config and what it requires, each as a function, and a `require` that calls them.
 */
static bool write_files(FILE *file, const Session *session, const char *folder,
                        const char *name)
{
    fputs("local files, loaded = {}, {}\n"
          "local function require(name)\n"
          "    if loaded[name] == nil then\n"
          "        loaded[name] = files[name]()\n"
          "    end\n"
          "    return loaded[name]\n"
          "end\n",
          file);
    bool ok = true;
    for (const char *line = session->config.required; *line && ok;) {
        size_t length = strcspn(line, "\n");
        char *required = rt_format("%.*s", (int)length, line);
        ok = write_file(file, folder, required);
        free(required);
        line += length + 1;
    }
    ok = ok && write_file(file, folder, name);
    fputc('\n', file);
    return ok;
}

static char *config_text(const Session *session, const char *folder, bool bundle)
{
    char *text = NULL, *name = plain_name(session->path);
    size_t bytes;
    FILE *file = open_memstream(&text, &bytes);
    fprintf(file, "-- %s with changes made in `lathe repl`.\n", session->config.path);
    bool ok = !bundle || write_files(file, session, folder, name);
    fprintf(file, "local config = require \"%s\"\n\n", name);
    for (int i = 0; i < session->state.count; i++)
        write_set(file, session->state.sets, i);
    fprintf(file, "%sreturn config\n", session->state.count ? "\n" : "");
    fclose(file);
    free(name);
    if (ok)
        return text;
    free(text);
    return NULL;
}

/* Whether the saved file means what the session's config does. */
static bool same_config(const Session *session, const char *written, const char *path)
{
    Config config;
    if (!config_load(written, NULL, 0, &config))
        return false;
    bool same = strcmp(config.hash, session->config.hash) == 0;
    config_free(&config);
    return same ||
           rt_fail("%s: cannot be saved: the file would mean another config (has %s "
                   "changed since it was loaded?)",
                   path, session->path);
}

/* Under another name first, so that only a file which was checked takes the path. */
static bool write_checked(const Session *session, const char *folder, const char *text,
                          const char *path)
{
    char *name = plain_name(path);
    char *written = rt_format("%s/%s_%ld.lua", folder, name, (long)getpid());
    bool ok = rt_write_if_changed(written, text, strlen(text)) &&
              same_config(session, written, path);
    if (ok && rename(written, path) != 0)
        ok = rt_fail("%s: cannot be replaced", path);
    unlink(written);
    free(name);
    free(written);
    return ok;
}

static bool check_target(const Session *session, const char *path, const char *folder)
{
    size_t length = strlen(path);
    if (length < 5 || strcmp(path + length - 4, ".lua") != 0)
        return rt_fail("%s: want a file whose name ends in .lua", path);
    return folder || rt_fail("%s: there is no such folder (%s is in another one)", path,
                             session->config.path);
}

bool session_save(Session *session, const char *path, bool *bundled)
{
    char *from = folder_of(session->path), *to = folder_of(path);
    char *name = plain_name(path), *original = plain_name(session->path), *text = NULL;
    bool ok = check_target(session, path, to) && from;
    *bundled = ok && strcmp(from, to) != 0;
    if (ok && !*bundled &&
        (strcmp(name, original) == 0 || has_line(session->config.required, name)))
        ok = rt_fail("%s: is what the saved config would require; want another name",
                     path);
    text = ok ? config_text(session, from, *bundled) : NULL;
    ok = text && write_checked(session, to, text, path);
    free(from);
    free(to);
    free(name);
    free(original);
    free(text);
    return ok;
}

/* ---- Weights ---- */

bool session_save_weights(Session *session, const char *path)
{
    const Stored *stored = session_in_use(session, CALIBRATION);
    return stored && checkpoint_write(path, &stored->arrays);
}

bool session_emit(Session *session, const char *path)
{
    char *folder = rt_format("%s/repl", cache_folder());
    char *weights = rt_format("%s/emit.%ld.ckpt", folder, (long)getpid());
    bool ok = rt_make_directories(folder) && session_save_weights(session, weights) &&
              shipped_write(&session->config, weights, path,
                            (ShippedOptions){.selftest = selftest_make});
    unlink(weights);
    free(folder);
    free(weights);
    return ok;
}
