/* Whether a checkpoint belongs to a network: comparison of their "key=value" lines. */
#include "runtime/base/support.h"
#include "runtime/checkpoint/checkpoint.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    const char *key, *value;
    int key_length, value_length;
} Line;

static bool next_line(const char **at, Line *line)
{
    if (**at == 0)
        return false;
    int length = (int)strcspn(*at, "\n"), key_length = (int)strcspn(*at, "=\n");
    int value_start = key_length + (key_length < length);
    *line = (Line){*at, *at + value_start, key_length, length - value_start};
    *at += length + ((*at)[length] == '\n');
    return true;
}

static bool find_line(const char *text, const Line *wanted, Line *found)
{
    while (next_line(&text, found))
        if (found->key_length == wanted->key_length &&
            memcmp(found->key, wanted->key, (size_t)wanted->key_length) == 0)
            return true;
    *found = (Line){.value = "nothing", .value_length = 7};
    return false;
}

static bool begins(const Line *line, const char *key)
{
    return strncmp(line->key, key, strlen(key)) == 0;
}

static bool is_any(const Line *line)
{
    (void)line;
    return true;
}

/* What says how a run went, but for what changes no weights. */
static bool is_of_run(const Line *line)
{
    return !begins(line, "train.test_every=");
}

static bool is_of_longer_run(const Line *line)
{
    return is_of_run(line) && !begins(line, "train.epochs=");
}

static bool is_of_quantisers(const Line *line)
{
    return begins(line, "quantised.");
}

/* Whether the lines say what layers are trained with; those of earlier runs do not. */
static bool tells_layers(const char *lines)
{
    Line line;
    while (next_line(&lines, &line))
        if (begins(&line, "layer."))
            return true;
    return false;
}

/* The lines of `has`, the checkpoint's, and of `says`, the config's, must be the same, of
 * those that are compared. */
static bool match_lines(const char *path, const char *has, const char *says,
                        bool (*compared)(const Line *), const char *advice)
{
    bool layers = tells_layers(has);
    for (int turn = 0; turn < 2; turn++) {
        const char *mine = turn ? has : says, *theirs = turn ? says : has;
        Line line, other;
        while (next_line(&mine, &line)) {
            if (!compared(&line) || (begins(&line, "layer.") && !layers) ||
                (find_line(theirs, &line, &other) &&
                 line.value_length == other.value_length &&
                 memcmp(line.value, other.value, (size_t)line.value_length) == 0))
                continue;
            const Line *a = turn ? &line : &other, *b = turn ? &other : &line;
            return rt_fail("%s: %.*s: the checkpoint has %.*s, the config says %.*s%s",
                           path, line.key_length, line.key, a->value_length, a->value,
                           b->value_length, b->value, advice);
        }
    }
    return true;
}

bool checkpoint_match_arch(const Checkpoint *checkpoint, const char *path,
                           const char *arch)
{
    return match_lines(path, checkpoint->arch, arch, is_any, "");
}

/* The same list of numbers, but for how they were calculated: 0.224 * 255 is not 57.12.
 */
static bool same_numbers(const Line *a, const Line *b)
{
    const char *p = a->value, *q = b->value;
    while (p < a->value + a->value_length && q < b->value + b->value_length) {
        char *p_end, *q_end;
        double x = strtod(p, &p_end), y = strtod(q, &q_end);
        bool numbers = p_end > p && q_end > q;
        if (numbers ? fabs(x - y) > 1e-6 * fabs(x) : *p != *q)
            return false;
        p = numbers ? p_end : p + 1;
        q = numbers ? q_end : q + 1;
    }
    return p == a->value + a->value_length && q == b->value + b->value_length;
}

bool checkpoint_match_pixels(const Checkpoint *checkpoint, const char *path,
                             const char *config)
{
    static const char *const keys[] = {"data.mean", "data.std"};
    for (int i = 0; i < 2; i++) {
        const Line wanted = {.key = keys[i], .key_length = (int)strlen(keys[i])};
        Line has, says;
        bool known = find_line(checkpoint->config, &wanted, &has);
        if (find_line(config, &wanted, &says) && !known)
            return rt_fail("%s: does not say what %s it was made with", path, keys[i]);
        if (!same_numbers(&has, &says))
            return rt_fail(
                "%s: made with %s %.*s, the config says %.*s; change it, or give "
                "--set '%s=%.*s' with every command",
                path, keys[i], has.value_length, has.value, says.value_length, says.value,
                keys[i], has.value_length, has.value);
    }
    return true;
}

static bool is_quantised(const char *config)
{
    Line line;
    while (next_line(&config, &line))
        if (is_of_quantisers(&line))
            return true;
    return false;
}

bool checkpoint_is_quantised(const Checkpoint *checkpoint)
{
    return is_quantised(checkpoint->config);
}

bool checkpoint_match_quantisers(const Checkpoint *checkpoint, const char *path,
                                 const char *config)
{
    if (!is_quantised(config))
        return true;
    if (!checkpoint_is_quantised(checkpoint))
        return rt_fail("%s: these are float weights, the config is quantised: run lathe "
                       "ptq or lathe train with them first",
                       path);
    return match_lines(path, checkpoint->config, config, is_of_quantisers,
                       "; quantise its float weights anew with lathe ptq or lathe train");
}

bool checkpoint_match_config(const Checkpoint *checkpoint, const char *path,
                             const char *config)
{
    return match_lines(path, checkpoint->config, config, is_of_longer_run, "");
}

bool checkpoint_match_run(const Checkpoint *checkpoint, const char *path,
                          const char *config)
{
    return match_lines(path, checkpoint->config, config, is_of_run, "");
}

bool checkpoint_use(const Checkpoint *checkpoint, const char *path,
                    const CheckpointNet *net, float *params, float *stats)
{
    return checkpoint_match_arch(checkpoint, path, net->arch) &&
           checkpoint_match_pixels(checkpoint, path, net->config) &&
           checkpoint_match_quantisers(checkpoint, path, net->config) &&
           checkpoint_take_for_use(checkpoint, path, net->params, net->param_count,
                                   params) &&
           checkpoint_take_for_use(checkpoint, path, net->stats, net->stat_count, stats);
}
