/* See programs.h. */
#include "tests/tools/programs.h"

#include "runtime/base/support.h"
#include "tests/tools/built_net.h"

#include <check.h>
#include <stdlib.h>

static const struct {
    const char *name, *sets[4];
} nets[NETS] = {
    {"residual", {NULL}},
    {"residual", {"net.padding='same'", "net.side=20", "net.width=32"}},
    {"odd", {NULL}},
    {"geometry", {"net.padding='same'", "net.own_input=true"}},
    {"geometry", {"net.out=24", "net.channels=48"}},
};

void program_config(int net, Config *config)
{
    char *path = net_path(nets[net].name);
    int count = 0;
    while (nets[net].sets[count])
        count++;
    ck_assert_msg(config_load(path, nets[net].sets, count, config), "%s", rt_error());
    free(path);
}

const Target *program_target(int number)
{
    static const char *const names[TARGETS] = {
#define BOARD(...)
#define TARGET(name, ...) #name,
#include "gen/passes/target.def"
#undef TARGET
    };
    return target_find(names[number / NETS % TARGETS]);
}

Lowering program_lowering(int number)
{
    return number / (NETS * TARGETS) % LOWERING_COUNT;
}

void compile_program(int number, Net *net)
{
    const Lowering lowering = program_lowering(number);
    const CompileOptions options = {.target = program_target(number),
                                    .lowering = &lowering};
    Config config;
    program_config(number % NETS, &config);
    if (number < PROGRAMS / 2)
        compile_train(&config, &options, net);
    else
        compile_evaluate(&config, &options, net);
    config_free(&config);
}
