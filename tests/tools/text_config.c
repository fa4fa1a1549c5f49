#include "tests/tools/text_config.h"

#include "runtime/base/support.h"
#include "tests/tools/folder.h"

#include <stdlib.h>

const char family_config[] =
    "local small = family{ width = 8, kind = 'A', deep = false, layers = function(net)\n"
    "    local x = image{ 4, 4, net.deep and 1 or 3 }\n"
    "    return dense{ avgpool(x), name = 'last', out = net.width }\n"
    "end }\n"
    "return { net = small{}, train = { milestones = { 5 } } }\n";

bool load_text(const char *text, const char *const *overrides, int count, Config *config)
{
    const char *path = in_folder("plain.lua");
    write_text(path, text);
    return config_load(path, overrides, count, config);
}

bool load_plain(const char *rest, Config *config)
{
    char *text = rt_format("return { net = { layers = function()\n"
                           "    return dense{ avgpool(image{ 4, 4, 3 }), name = 'last', "
                           "out = 2 }\n"
                           "end }, %s }\n",
                           rest);
    bool ok = load_text(text, NULL, 0, config);
    free(text);
    return ok;
}
