/* The folder of a run: see run_folder.h. The lock is fcntl's on FOLDER/.lock: it ends
 * with its process however that ends, and a trainer that lathe becomes keeps it. */
#include "runtime/train/run_folder.h"

#include "runtime/base/support.h"
#include "runtime/checkpoint/checkpoint.h"
#include "runtime/train/train_state.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- The lock ---- */

/* "process 123 (trainer)", as far as it is known. */
static void name_process(const struct flock *held, char *text, size_t size)
{
    char name[64] = "", path[64];
    snprintf(path, sizeof path, "/proc/%ld/comm", (long)held->l_pid);
    FILE *file = held->l_pid > 0 ? fopen(path, "r") : NULL;
    if (file) {
        if (fgets(name, sizeof name, file))
            name[strcspn(name, "\n")] = 0;
        fclose(file);
    }
    if (held->l_pid > 0)
        snprintf(text, size, "process %ld%s%s%s", (long)held->l_pid, *name ? " (" : "",
                 name, *name ? ")" : "");
    else
        snprintf(text, size, "another machine's process");
}

static bool set_lock(int fd, const char *folder)
{
    struct flock want = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    if (fcntl(fd, F_SETLK, &want) == 0)
        return true;
    if (errno != EACCES && errno != EAGAIN) {
        fprintf(stderr, "note: %s: cannot be locked (%s); keep other runs out of it\n",
                folder, strerror(errno));
        return true;
    }
    char process[128];
    if (fcntl(fd, F_GETLK, &want) != 0 || want.l_type == F_UNLCK)
        return rt_fail("%s: another process was just at work there; try again", folder);
    name_process(&want, process, sizeof process);
    return rt_fail("%s: %s is at work there; wait for it, or name another folder with -o",
                   folder, process);
}

bool run_folder_take(const char *folder, int *lock)
{
    *lock = -1;
    if (!rt_make_directories(folder))
        return false;
    char *path = rt_format("%s/.lock", folder);
    int fd = open(path, O_RDWR | O_CREAT, 0666); /* exec keeps it */
    bool ok = fd >= 0 || rt_fail("%s: %s", path, strerror(errno));
    ok = ok && set_lock(fd, folder);
    free(path);
    if (ok) {
        rt_remove_litter(folder);
        *lock = fd;
    } else if (fd >= 0) {
        close(fd);
    }
    return ok;
}

void run_folder_leave(int lock)
{
    if (lock >= 0)
        close(lock);
}

/* ---- Whose run it is ---- */

/* `config` with the value behind `key`, if that line is there, replaced. */
static char *replace_value(const char *config, const char *key, uint64_t value)
{
    size_t length = strlen(key);
    for (const char *line = config; *line;) {
        size_t bytes = strcspn(line, "\n");
        if (bytes > length && memcmp(line, key, length) == 0 && line[length] == '=')
            return rt_format("%.*s%s=%llu%s", (int)(line - config), config, key,
                             (unsigned long long)value, line + bytes);
        line += bytes + (line[bytes] == '\n');
    }
    return rt_format("%s", config);
}

char *run_config(const char *config, int epochs, uint64_t seed)
{
    char *first = replace_value(config, "train.epochs", (uint64_t)epochs);
    char *both = replace_value(first, "train.seed", seed);
    free(first);
    return both;
}

/* The config of the run that the options ask for: the given one with their epochs and
 * seed, or that of the checkpoint to go on from. */
static char *asked_config(const char *config, const TrainerOptions *options)
{
    Checkpoint resumed;
    if (options->resume && checkpoint_read(options->resume, &resumed)) {
        char *own = rt_format("%s", resumed.config);
        checkpoint_free(&resumed);
        return own;
    }
    rt_error_clear(); /* that it cannot be read is said by who reads it to go on */
    char *first = options->epochs
                      ? replace_value(config, "train.epochs", (uint64_t)options->epochs)
                      : rt_format("%s", config);
    if (!options->seed.given)
        return first;
    char *both = replace_value(first, "train.seed", options->seed.value);
    free(first);
    return both;
}

static bool same_file(const char *a, const char *b)
{
    struct stat first, second;
    return stat(a, &first) == 0 && stat(b, &second) == 0 &&
           first.st_dev == second.st_dev && first.st_ino == second.st_ino;
}

/* A run that is resumed where it is: of this config, but for its epochs and seed. */
static bool check_resumed(const Checkpoint *found, const char *path, const char *config)
{
    TrainState state = {0};
    if (!state_read(found, path, &state))
        return false;
    char *own = run_config(config, state.epochs, state.seed);
    bool ok = checkpoint_match_config(found, path, own);
    free(own);
    state_free(&state);
    return ok;
}

static bool is_file(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 && S_ISREG(status.st_mode);
}

/* Fails as a run that is new to the folder, and may not replace what is there. */
static bool check_new(const Checkpoint *found, const char *path, const char *arch,
                      const char *config, const TrainerOptions *options)
{
    char *own = asked_config(config, options);
    bool ok = checkpoint_match_arch(found, path, arch) &&
              checkpoint_match_run(found, path, own);
    free(own);
    return ok;
}

static bool refuse(const char *folder)
{
    char *why = rt_format("%s", rt_error());
    rt_error_clear();
    rt_fail("%s: holds another run, which is kept: %s; --force replaces it, -o names "
            "another folder",
            folder, why);
    free(why);
    return false;
}

bool run_folder_check(const char *folder, const char *arch, const char *config,
                      const TrainerOptions *options)
{
    char *path = rt_format("%s/last.ckpt", folder);
    bool resumes =
        options->resume && (*options->resume == 0 || same_file(options->resume, path));
    if (!is_file(path) && !resumes) {
        free(path);
        path = rt_format("%s/best.ckpt", folder);
    }
    Checkpoint found = {0};
    bool ok = true;
    if (is_file(path) && resumes)
        ok = checkpoint_read(path, &found) && checkpoint_match_arch(&found, path, arch) &&
             check_resumed(&found, path, config);
    else if (is_file(path) && !options->force)
        ok = (checkpoint_read(path, &found) &&
              check_new(&found, path, arch, config, options)) ||
             refuse(folder);
    checkpoint_free(&found);
    free(path);
    return ok;
}
