/* libtcc: see memory_code.h. Its code lives as long as its state; one state is relocated
 * once, because a second time ends the process. */
#include "gen/run/memory_code.h"

#include "gen/base/paths.h"
#include "gen/run/relocate.h"
#include "runtime/base/support.h"

#include <fcntl.h>
#include <libtcc.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct MemoryCode {
    TCCState *state;
    const char *const *names, *const *texts;
    int count;
    char message[512]; /* the first error; no memory may be left to keep it elsewhere */
};

/* Writes "configs/resnet.lua:20: s1b0_conv1: in its code, " for the layer that line
 * `line` of the text belongs to: that of the last headline above, a comment "s1b0_conv1:
 * ... (file:line)". */
static void name_layer(const char *text, int line, char *to, size_t size)
{
    const char *name = NULL, *end = NULL;
    for (int i = 1; i <= line && text; i++) {
        size_t length = strcspn(text, "\n");
        if (length > 8 && memcmp(text, "/* ", 3) == 0 &&
            memcmp(text + length - 4, ") */", 4) == 0) {
            name = text + 3;
            end = text + length - 4;
        }
        text = text[length] ? text + length + 1 : NULL;
    }
    const char *place = end;
    while (name && place > name && place[-1] != '(')
        place--;
    if (name)
        snprintf(to, size, "%.*s: %.*s: in its code, ", (int)(end - place), place,
                 (int)strcspn(name, ":"), name);
}

/* libtcc says "network.c:12: error: ...". */
static void keep_message(void *opaque, const char *message)
{
    MemoryCode *code = opaque;
    if (code->message[0] || strstr(message, "warning: "))
        return;
    for (int i = 0; i < code->count; i++) {
        size_t length = strlen(code->names[i]);
        if (strncmp(message, code->names[i], length) == 0 && message[length] == ':')
            name_layer(code->texts[i], atoi(message + length + 1), code->message,
                       sizeof code->message);
    }
    size_t end = strlen(code->message);
    snprintf(code->message + end, sizeof code->message - end, "%s", message);
}

/* Where headers are. libtcc takes a list of folders apart at colons: it gets lathe's by a
 * name that has none. */
static bool add_headers(TCCState *state, int root)
{
    char name[32];
    snprintf(name, sizeof name, "/proc/self/fd/%d", root);
    return tcc_add_include_path(state, name) == 0;
}

static bool compile(MemoryCode *code)
{
    TCCState *state = code->state;
    int root = open(lathe_root(), O_PATH | O_DIRECTORY | O_CLOEXEC);
    bool ok = tcc_set_output_type(state, TCC_OUTPUT_MEMORY) == 0 && root >= 0 &&
              add_headers(state, root);
    for (int i = 0; i < code->count && ok; i++) {
        char *text = rt_format("#line 1 \"%s\"\n%s", code->names[i], code->texts[i]);
        ok = tcc_compile_string(state, text) == 0;
        free(text);
    }
    if (root >= 0)
        close(root);
    return ok && RELOCATE(tcc_relocate, state) == 0;
}

MemoryCode *memory_code_compile(const char *const *names, const char *const *texts,
                                int count)
{
    MemoryCode *code = rt_alloc(sizeof *code);
    *code =
        (MemoryCode){.state = tcc_new(), .names = names, .texts = texts, .count = count};
    if (code->state)
        tcc_set_error_func(code->state, code, keep_message);
    if (code->state && compile(code))
        return code;
    char message[sizeof code->message];
    snprintf(message, sizeof message, "%s", code->message);
    memory_code_free(code);
    rt_fail("libtcc: %s",
            message[0] ? message : "no memory, or not allowed to run code in it");
    return NULL;
}

void *memory_code_symbol(MemoryCode *code, const char *name)
{
    return tcc_get_symbol(code->state, name);
}

void memory_code_free(MemoryCode *code)
{
    if (code == NULL)
        return;
    if (code->state)
        tcc_delete(code->state);
    free(code);
}
