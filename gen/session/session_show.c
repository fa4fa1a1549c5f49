/* What a session shows of its network: the table of layers, and a layer's C. */
#include "gen/session/session.h"

#include "gen/config/config_weights.h"
#include "gen/emit/report.h"
#include "gen/session/session_state.h"
#include "gen/show/inspect.h"
#include "runtime/base/support.h"
#include "runtime/train/progress.h"

#include <stdlib.h>
#include <string.h>

/* With learned bits where there are weights that have them. */
void session_print(const Session *session, FILE *file)
{
    const Stored *ready = session_ready(session);
    Weights weights = {0};
    if (ready &&
        !config_weights(&session->config, &ready->arrays, ready->origin, &weights))
        rt_error_clear();
    report_print(file, &session->config, weights.params, terminal_width(stdout));
    weights_free(&weights);
}

/* The functions of the layer's ops, then the kernels they call. */
static void print_code(const Inspection *it, int program, int layer, FILE *file)
{
    static const PartKind kinds[] = {PART_FUNCTION, PART_KERNEL};
    const Source *source = inspect_source(it, program);
    for (int i = 0; i < 2 * source->map.count; i++) {
        const Part *part = &source->map.parts[i % source->map.count];
        bool forward = inspect_part_is_of(it, source, part, program, layer, false);
        if (part->kind != kinds[i / source->map.count] ||
            !(forward || inspect_part_is_of(it, source, part, program, layer, true)))
            continue;
        for (int line = part->first; line <= part->last; line++)
            fprintf(file, "%s\n", source->lines[line]);
        fputc('\n', file);
    }
}

static bool print_layer(const Inspection *it, const char *name, int program, FILE *file)
{
    int layer = inspect_layer(it, name);
    if (layer == NONE)
        return false;
    if (program == PROGRAM_INFER && !it->has_infer)
        return rt_fail("%s", it->refusal);
    int by = inspect_done_by(it, program, layer);
    if (by == NONE)
        return rt_fail("nothing is left of %s in this program", name);
    if (by != layer)
        fprintf(file, "/* %s is done by %s. */\n\n", name, it->config->net.ops[by].name);
    print_code(it, program, by, file);
    return true;
}

bool session_source(const Session *session, const char *layer, const char *program,
                    FILE *file)
{
    int number = 0;
    while (number < PROGRAM_COUNT && strcmp(program, program_names[number]) != 0)
        number++;
    if (number == PROGRAM_COUNT)
        return rt_fail("%s: want \"evaluate\", \"train\" or \"infer\" behind the layer",
                       program);
    const Subject subject = {.config = &session->config,
                             .path = session->path,
                             .sets = (const char *const *)session->state.sets,
                             .set_count = session->state.count,
                             .compile = &session->options};
    Inspection it;
    bool ok = inspect_open(&it, &subject, NULL) && print_layer(&it, layer, number, file);
    inspect_close(&it);
    return ok;
}
