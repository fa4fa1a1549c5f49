/* fork and exec: see process.h. */
#include "tests/tools/process.h"

#include "runtime/base/support.h"
#include "tests/tools/folder.h"

#include <check.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

const char *lathe_program(void)
{
    static char path[PATH_MAX];
    ssize_t length = readlink("/proc/self/exe", path, sizeof path - 16);
    ck_assert_int_gt(length, 0);
    path[length] = 0;
    strcat(dirname(dirname(path)), "/lathe");
    return path;
}

static void redirect(int descriptor, const char *path)
{
    int file = open(path ? path : "/dev/null", O_CREAT | O_TRUNC | O_WRONLY, 0666);
    if (file < 0 || dup2(file, descriptor) < 0)
        _exit(126);
    close(file);
}

pid_t process_start(const char *folder, const char *out, const char *err,
                    const char *const *words)
{
    pid_t child = fork();
    ck_assert_int_ge(child, 0);
    if (child > 0)
        return child;
    redirect(1, out);
    redirect(2, err);
    if (folder && chdir(folder) != 0)
        _exit(126);
    execvp(words[0], (char *const *)words);
    _exit(127);
}

int process_wait(pid_t child)
{
    int status;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

int process_run(const char *folder, const char *out, const char *err,
                const char *const *words)
{
    return process_wait(process_start(folder, out, err, words));
}

static void compile_in(const char *folder, const char *const *words)
{
    const char *said = in_folder("compiler");
    int status = process_run(folder, NULL, said, words);
    char *text = rt_read_file(said, NULL);
    ck_assert_ptr_nonnull(text);
    ck_assert_msg(status == 0 && *text == 0, "%s: status %d: %.2000s", words[0], status,
                  text);
    free(text);
}

void compile_quietly(const char *const *words)
{
    compile_in(NULL, words);
}

void compile_shared(const char *const *command, const char *const *sources,
                    const char *object)
{
    enum { WORDS = 40, SOURCES = 4 };
    const char *link[SOURCES + 8] = {command[0], "-shared", "-Wl,-Bsymbolic", "-o",
                                     object};
    char *objects[SOURCES];
    int given = 0, count = 0;
    while (command[given])
        given++;
    for (; sources[count]; count++) {
        ck_assert(count < SOURCES && given + 7 < WORDS);
        objects[count] = rt_format("%s.%d.o", object, count);
        const char *words[WORDS];
        memcpy(words, command, given * sizeof *words);
        const char *name = strrchr(sources[count], '/') + 1;
        char *folder = rt_format("%.*s", (int)(name - sources[count]), sources[count]);
        const char *const rest[] = {"-fPIC", "-c", "-o", objects[count], name, NULL};
        memcpy(words + given, rest, sizeof rest);
        compile_in(folder, words);
        free(folder);
        link[5 + count] = objects[count];
    }
    link[5 + count] = "-lm";
    link[6 + count] = NULL;
    compile_quietly(link);
    while (count > 0)
        free(objects[--count]);
}

void compile_shipped(const char *const *command, const char *const *sources,
                     const char *object)
{
    static const char *const flags[] = {"-std=c99",     "-Wall",      "-Wextra",
                                        "-Wcast-align", "-Wpedantic", "-Werror"};
    enum { FLAGS = sizeof flags / sizeof *flags };
    const char *words[24];
    int count = 0;
    for (; command[count]; count++) {
        ck_assert(count + FLAGS + 1 < 24);
        words[count] = command[count];
    }
    memcpy(words + count, flags, sizeof flags);
    words[count + FLAGS] = NULL;
    compile_shared(words, sources, object);
}

bool program_installed(const char *name)
{
    char *paths = rt_format("%s", getenv("PATH") ? getenv("PATH") : ""), *rest = paths;
    bool found = false;
    for (char *folder; !found && (folder = strsep(&rest, ":"));) {
        char *file = rt_format("%s/%s", folder, name);
        found = access(file, X_OK) == 0;
        free(file);
    }
    free(paths);
    return found;
}
