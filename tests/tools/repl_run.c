/* A folder for lathe repl: see repl_run.h. */
#include "tests/tools/repl_run.h"

#include "runtime/base/support.h"
#include "tests/tools/built_net.h"
#include "tests/tools/folder.h"
#include "tests/tools/lathe_run.h"
#include "tests/tools/random_weights.h"

#include <check.h>
#include <stdlib.h>

void repl_set_up(void)
{
    folder_make();
    char *path = net_path("picture"), *text = rt_read_file(path, NULL);
    write_text(in_folder("picture.lua"), text);
    write_text(in_folder("small.lua"), "local config = require \"picture\"\n"
                                       "config.quant = { quantizer = \"uniform_static\", "
                                       "w_bits = 4, a_bits = 4 }\n"
                                       "return config\n");
    Config config;
    ck_assert_msg(config_load(in_folder("picture.lua"), NULL, 0, &config), "%s",
                  rt_error());
    float *params = rt_alloc(config.net.param_floats * sizeof(float));
    float *stats = rt_alloc(config.net.stat_floats * sizeof(float));
    random_seed(3);
    random_weights(&config.net, params, stats);
    random_checkpoint(&config, params, stats, in_folder("f.ckpt"));
    config_free(&config);
    free(params);
    free(stats);
    free(path);
    free(text);
}

int repl_script(const char *text)
{
    write_text(in_folder("script.lua"), text);
    return lathe_run(in_folder("."), WORDS("repl", "small.lua", "script.lua", "--weights",
                                           "f.ckpt", "--data", "random:64"));
}
