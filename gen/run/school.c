/* Teachers: see school.h. */
#include "gen/run/school.h"

#include "gen/run/jit.h"
#include "runtime/base/shell_word.h"
#include "runtime/base/support.h"

#include <stdlib.h>
#include <string.h>

struct School {
    Teacher *teachers;
    Config *configs;
    Jit **jits;  /* one for each */
    int count;   /* of those that are there */
    char *flags; /* as a command line has them */
};

static void add_flag(School *school, const char *word)
{
    char *quoted = rt_shell_word(word);
    char *longer =
        rt_format("%s%s--teacher %s", school->flags, school->count ? " " : "", quoted);
    free(quoted);
    free(school->flags);
    school->flags = longer;
}

static bool add(School *school, const char *word, const CompileOptions *options)
{
    const char *equals = strstr(word, ".lua=");
    if (equals == NULL || equals == word || equals[5] == 0)
        return rt_fail("--teacher %s: want CONFIG.lua=FILE.ckpt", word);
    int i = school->count;
    char *path = rt_format("%.*s", (int)(equals + 4 - word), word);
    bool ok = config_load(path, NULL, 0, &school->configs[i]);
    free(path);
    if (!ok)
        return false;
    add_flag(school, word);
    school->count++; /* so that what there is of it is closed */
    school->jits[i] = jit_open(&school->configs[i], options, JIT_CC);
    if (school->jits[i] == NULL)
        return false;
    school->teachers[i] = (Teacher){.model = jit_model(school->jits[i]),
                                    .weights = equals + 5,
                                    .path = school->configs[i].path};
    return true;
}

School *school_open(const char *const *words, int count, const CompileOptions *options)
{
    School *school = rt_alloc(sizeof *school);
    *school = (School){.teachers = rt_alloc((size_t)count * sizeof *school->teachers),
                       .configs = rt_alloc((size_t)count * sizeof *school->configs),
                       .jits = rt_alloc((size_t)count * sizeof *school->jits),
                       .flags = rt_format("%s", "")};
    for (int i = 0; i < count; i++)
        if (!add(school, words[i], options)) {
            school_close(school);
            return NULL;
        }
    return school;
}

void school_close(School *school)
{
    if (school == NULL)
        return;
    for (int i = 0; i < school->count; i++) {
        if (school->jits[i])
            jit_close(school->jits[i]);
        config_free(&school->configs[i]);
    }
    free(school->teachers);
    free(school->configs);
    free(school->jits);
    free(school->flags);
    free(school);
}

void school_teach(const School *school, TrainerOptions *options)
{
    options->teachers = school->teachers;
    options->teacher_count = school->count;
    options->teaching = school->flags;
}
