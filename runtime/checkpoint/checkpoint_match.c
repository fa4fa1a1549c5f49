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

/* Every line of `mine` must be in `theirs`. */
static bool match_lines(const char *path, const char *mine, const char *theirs,
                        bool mine_is_checkpoint, const char *but_key)
{
    Line line, other;
    while (next_line(&mine, &line)) {
        if (line.key_length == (int)strlen(but_key) &&
            memcmp(line.key, but_key, strlen(but_key)) == 0)
            continue;
        if (find_line(theirs, &line, &other) && line.value_length == other.value_length &&
            memcmp(line.value, other.value, (size_t)line.value_length) == 0)
            continue;
        const Line *has = mine_is_checkpoint ? &line : &other;
        const Line *says = mine_is_checkpoint ? &other : &line;
        return rt_fail("%s: %.*s: the checkpoint has %.*s, the config says %.*s", path,
                       line.key_length, line.key, has->value_length, has->value,
                       says->value_length, says->value);
    }
    return true;
}

bool checkpoint_match_arch(const Checkpoint *checkpoint, const char *path,
                           const char *arch)
{
    return match_lines(path, arch, checkpoint->arch, false, "") &&
           match_lines(path, checkpoint->arch, arch, true, "");
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

/* A line that says how numbers are quantised, and not how that is learned. */
static bool of_quantiser(const Line *line)
{
    static const char *const keys[] = {
        "quant.quantizer=", "quant.w_bits=", "quant.a_bits=", "quant.per_channel=",
        "quant.layers."};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (strncmp(line->key, keys[i], strlen(keys[i])) == 0)
            return true;
    return false;
}

static bool match_quantiser_lines(const char *path, const char *mine, const char *theirs,
                                  bool mine_is_checkpoint)
{
    Line line, other;
    while (next_line(&mine, &line)) {
        if (!of_quantiser(&line) ||
            (find_line(theirs, &line, &other) && same_numbers(&line, &other)))
            continue;
        const Line *has = mine_is_checkpoint ? &line : &other;
        const Line *says = mine_is_checkpoint ? &other : &line;
        return rt_fail("%s: quantised with %.*s %.*s, the config says %.*s; quantise its "
                       "float weights anew with lathe ptq or lathe train",
                       path, line.key_length, line.key, has->value_length, has->value,
                       says->value_length, says->value);
    }
    return true;
}

bool checkpoint_match_quantisers(const Checkpoint *checkpoint, const char *path,
                                 const char *config)
{
    const Line quantizer = {.key = "quant.quantizer", .key_length = 15};
    Line has, says;
    if (!find_line(config, &quantizer, &says) ||
        !find_line(checkpoint->config, &quantizer, &has))
        return true;
    return match_quantiser_lines(path, config, checkpoint->config, false) &&
           match_quantiser_lines(path, checkpoint->config, config, true);
}

bool checkpoint_match_config(const Checkpoint *checkpoint, const char *path,
                             const char *config)
{
    return match_lines(path, config, checkpoint->config, false, "train.epochs") &&
           match_lines(path, checkpoint->config, config, true, "train.epochs");
}

bool checkpoint_match_run(const Checkpoint *checkpoint, const char *path,
                          const char *config)
{
    return match_lines(path, config, checkpoint->config, false, "") &&
           match_lines(path, checkpoint->config, config, true, "");
}
