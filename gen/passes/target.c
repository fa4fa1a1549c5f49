/* The targets and how to choose among them: see target.h. */
#include "gen/passes/target.h"

#include "runtime/base/support.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#ifdef __x86_64__
#define CPU(feature) __builtin_cpu_supports(feature)
#else
#define CPU(feature) false
#endif
#define TARGET(name, basis, floats, integers, dots, form, deep, registers, calls, ships, \
               macros, cflags, runs)                                                     \
    static bool machine_##name(void)                                                     \
    {                                                                                    \
        return runs;                                                                     \
    }
#include "gen/passes/target.def"
#undef TARGET

const Target target_table[TARGET_COUNT] = {
#define TARGET(name, basis, floats, integers, dots, form, deep, registers, calls, ships, \
               macros, cflags, runs)                                                     \
    {#name,     basis, floats, integers, dots,   FORM_##form,   FORM_##deep,             \
     registers, calls, ships,  macros,   cflags, machine_##name},
#include "gen/passes/target.def"
#undef TARGET
};

static const Target *by_name(const char *name)
{
    for (int i = 0; i < TARGET_COUNT; i++)
        if (strcmp(name, target_table[i].name) == 0)
            return &target_table[i];
    return NULL;
}

static const Target *basis_of(const Target *target)
{
    return target->basis ? by_name(target->basis) : NULL;
}

bool target_runs(const Target *target)
{
    const Target *basis = basis_of(target);
    return target->machine() && (basis == NULL || target_runs(basis));
}

const Target *target_shipped(const Target *target, Ships kind)
{
    return target->ships & kind ? target : target_shipped(basis_of(target), kind);
}

const char *target_names(void)
{
    static char names[32 * TARGET_COUNT];
    size_t length = 0;
    for (int i = 0; i < TARGET_COUNT; i++)
        length += (size_t)snprintf(names + length, sizeof names - length, "%s%s",
                                   i == 0                  ? ""
                                   : i == TARGET_COUNT - 1 ? " or "
                                                           : ", ",
                                   target_table[i].name);
    return names;
}

const Target *target_find(const char *name)
{
    const char *names[TARGET_COUNT];
    for (int i = 0; i < TARGET_COUNT; i++) {
        const Target *target = &target_table[i];
        names[i] = target->name;
        if (name ? strcmp(name, names[i]) == 0 : !target->calls && target_runs(target))
            return target;
    }
    const char *nearest = rt_nearest(name, names, TARGET_COUNT);
    rt_fail("--target %s: want %s%s%s", name, target_names(),
            nearest ? "; did you mean " : "", nearest ? nearest : "");
    return NULL;
}
