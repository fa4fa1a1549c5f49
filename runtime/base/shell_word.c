/* Quoting: see shell_word.h. */
#include "runtime/base/shell_word.h"

#include "runtime/base/support.h"

#include <stdio.h>
#include <string.h>

char *rt_shell_word(const char *text)
{
    static const char *const plain =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
        "0123456789_-+=.,:/@%";
    char *word = NULL;
    size_t bytes;
    if (*text && text[strspn(text, plain)] == 0)
        return rt_format("%s", text);
    FILE *file = open_memstream(&word, &bytes);
    fputc('\'', file);
    for (; *text; text++)
        fputs(*text == '\'' ? "'\\''" : (const char[]){*text, 0}, file);
    fputc('\'', file);
    fclose(file);
    return word;
}
