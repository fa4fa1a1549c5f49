/* Text from outside, made fit to be shown: see text.h. */
#include "runtime/base/text.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Characters that say how text is laid out, or nothing at all, instead of being seen. */
static const uint32_t unseen[][2] = {
    {0x0, 0x1f},       {0x7f, 0x9f},     {0xad, 0xad},     {0x61c, 0x61c},
    {0x180e, 0x180e},  {0x200b, 0x200f}, {0x2028, 0x202e}, {0x2060, 0x206f},
    {0xd800, 0xdfff},  {0xfeff, 0xfeff}, {0xfff0, 0xfffb}, {0xfffe, 0xffff},
    {0xe0000, 0xe0fff}};

/* Bytes of the character at `p`, 0 when it is none that is seen. */
static int seen_bytes(const unsigned char *p)
{
    int more = *p < 0x80 ? 0 : *p < 0xc2 ? -1 : *p < 0xe0 ? 1 : *p < 0xf0 ? 2 : 3;
    if (more < 0 || *p > 0xf4)
        return 0;
    uint32_t character = more ? *p & (0x3f >> more) : *p;
    for (int i = 1; i <= more; i++) {
        if ((p[i] & 0xc0) != 0x80)
            return 0;
        character = character << 6 | (p[i] & 0x3f);
    }
    static const uint32_t least[] = {0, 0x80, 0x800, 0x10000}; /* of each length */
    if (character < least[more] || character > 0x10ffff)
        return 0;
    for (size_t i = 0; i < sizeof unseen / sizeof *unseen; i++)
        if (character >= unseen[i][0] && character <= unseen[i][1])
            return 0;
    return more + 1;
}

bool rt_is_shown(const char *text)
{
    for (int bytes; *text; text += bytes)
        if ((bytes = seen_bytes((const unsigned char *)text)) == 0)
            return false;
    return true;
}

/* Characters of `kept` stay as they are. */
static void show(const char *text, const char *kept, char *to, size_t room)
{
    static const char digits[] = "0123456789abcdef";
    for (char *end = to + room - 1; *text;) {
        const unsigned char *p = (const unsigned char *)text;
        int bytes = strchr(kept, *p) ? 1 : seen_bytes(p);
        const char hidden[] = {'\\', 'x', digits[*p >> 4], digits[*p & 15]};
        size_t length = bytes ? (size_t)bytes : sizeof hidden;
        if (length > (size_t)(end - to))
            break;
        memcpy(to, bytes ? text : hidden, length);
        to += length;
        text += bytes ? bytes : 1;
    }
    *to = 0;
}

void rt_show(const char *text, char *to, size_t room)
{
    show(text, "", to, room);
}

void rt_show_lines(const char *text, char *to, size_t room)
{
    show(text, "\n\t", to, room);
}

void rt_put_lines(const char *text, FILE *file)
{
    size_t room = 4 * strlen(text) + 1;
    char *copy = malloc(room);
    if (copy == NULL)
        return;
    rt_show_lines(text, copy, room);
    fputs(copy, file);
    free(copy);
}

const char *rt_shown(const char *text)
{
    enum { KEPT = 8 };
    static _Thread_local char *kept[KEPT];
    static _Thread_local int next;
    if (rt_is_shown(text))
        return text;
    size_t room = 4 * strlen(text) + 1;
    char *copy = realloc(kept[next], room);
    if (copy == NULL)
        return "(out of memory)";
    kept[next] = copy;
    next = (next + 1) % KEPT;
    rt_show(text, copy, room);
    return copy;
}
