/* lathe repl in a folder of its own: see repl_run.h. */
#include "repl_run.h"

#include "built_net.h"
#include "process.h"
#include "random_weights.h"
#include "support.h"
#include "test_folder.h"

#include <check.h>
#include <libgen.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

char *repl_out, *repl_err;

const char *lathe_program(void)
{
    static char path[PATH_MAX];
    ssize_t length = readlink("/proc/self/exe", path, sizeof path - 16);
    ck_assert_int_gt(length, 0);
    path[length] = 0;
    strcat(dirname(dirname(path)), "/lathe");
    return path;
}

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

void repl_clean_up(void)
{
    free(repl_out);
    free(repl_err);
    repl_out = repl_err = NULL;
    folder_remove();
}

int repl_run(const char *const *words)
{
    const char *all[24] = {lathe_program()};
    for (int i = 0; words[i]; i++)
        all[i + 1] = words[i];
    int status = process_run(in_folder("."), in_folder("out"), in_folder("err"), all);
    free(repl_out);
    free(repl_err);
    repl_out = rt_read_file(in_folder("out"), NULL);
    repl_err = rt_read_file(in_folder("err"), NULL);
    ck_assert(repl_out && repl_err);
    return status;
}

int repl_script(const char *text)
{
    write_text(in_folder("script.lua"), text);
    return repl_run((const char *const[]){"repl", "small.lua", "script.lua", "--weights",
                                          "f.ckpt", "--data", "random:64", NULL});
}
