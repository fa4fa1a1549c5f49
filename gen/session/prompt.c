/* A line editor by libedit: see prompt.h. While a line is typed Ctrl-C is a key like
 * others, so that no signal handler has to jump out of the editor. */
#include "gen/session/prompt.h"

#include "runtime/base/support.h"

#include <histedit.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MOST_LINES = 1000 };

struct Prompt {
    EditLine *editor;
    History *history;
    HistEvent event;
    char *file; /* of the history, or NULL */
    const char *text;
    bool cancelled;
    Completer *complete;
    void *context;
};

static Prompt *prompt_of(EditLine *editor)
{
    Prompt *prompt = NULL;
    el_get(editor, EL_CLIENTDATA, &prompt);
    return prompt;
}

static char *text_of(EditLine *editor)
{
    return (char *)prompt_of(editor)->text;
}

static unsigned char cancel(EditLine *editor, int key)
{
    (void)key;
    prompt_of(editor)->cancelled = true;
    fputs("^C\n", stdout);
    fflush(stdout);
    return CC_NEWLINE;
}

static unsigned char suspend(EditLine *editor, int key)
{
    (void)editor;
    (void)key;
    raise(SIGTSTP);
    return CC_REFRESH;
}

/* ---- Completion ---- */

static size_t common_length(char *const *words)
{
    size_t length = strlen(words[0]);
    for (int i = 1; words[i]; i++) {
        size_t same = 0;
        while (same < length && words[i][same] == words[0][same])
            same++;
        length = same;
    }
    return length;
}

/* In columns, as many as fit. */
static void print_words(char *const *words)
{
    struct winsize size;
    int width =
        ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col ? size.ws_col : 80;
    int widest = 0, count = 0;
    for (; words[count]; count++)
        if ((int)strlen(words[count]) > widest)
            widest = (int)strlen(words[count]);
    int columns = width / (widest + 2) > 0 ? width / (widest + 2) : 1;
    int rows = (count + columns - 1) / columns;
    for (int row = 0; row < rows; row++) {
        putchar('\n');
        for (int i = row; i < count; i += rows)
            printf("%-*s", i + rows < count ? widest + 2 : 0, words[i]);
    }
    putchar('\n');
    fflush(stdout);
}

static unsigned char tab(EditLine *editor, int key)
{
    (void)key;
    Prompt *prompt = prompt_of(editor);
    const LineInfo *info = el_line(editor);
    char *line = rt_format("%.*s", (int)(info->cursor - info->buffer), info->buffer);
    size_t start = 0;
    char **words = prompt->complete(prompt->context, line, &start);
    unsigned char what = CC_ERROR;
    if (words && words[0] && start <= strlen(line)) {
        size_t typed = strlen(line) - start, common = common_length(words);
        char *more = common > typed
                         ? rt_format("%.*s", (int)(common - typed), words[0] + typed)
                         : rt_format("%s", "");
        bool insert = *more && el_insertstr(editor, more) == 0;
        if (!insert && words[1])
            print_words(words);
        what = insert ? CC_REFRESH : words[1] ? CC_REDISPLAY : CC_ERROR;
        free(more);
    }
    for (int i = 0; words && words[i]; i++)
        free(words[i]);
    free(words);
    free(line);
    return what;
}

/* ---- The prompt ---- */

static void bind_keys(EditLine *editor)
{
    el_set(editor, EL_EDITOR, "emacs");
    el_set(editor, EL_SIGNAL, 1);
    el_set(editor, EL_ADDFN, "lathe-complete", "complete", tab);
    el_set(editor, EL_ADDFN, "lathe-cancel", "give the line up", cancel);
    el_set(editor, EL_ADDFN, "lathe-suspend", "stop the process", suspend);
    el_set(editor, EL_BIND, "^I", "lathe-complete", NULL);
    el_set(editor, EL_BIND, "^R", "em-inc-search-prev", NULL);
    el_set(editor, EL_BIND, "^C", "lathe-cancel", NULL);
    el_set(editor, EL_BIND, "^Z", "lathe-suspend", NULL);
    el_set(editor, EL_SETTY, "-d", "-isig", NULL);
    el_source(editor, NULL); /* ~/.editrc */
}

/* A history of lines, or none yet; anything else, such as a device, is left alone. */
static bool is_history(const char *file)
{
    enum { MOST_BYTES = 16 << 20 };
    struct stat status;
    return stat(file, &status) != 0 ||
           (S_ISREG(status.st_mode) && status.st_size <= MOST_BYTES);
}

Prompt *prompt_open(const char *file, Completer *complete, void *context)
{
    Prompt *prompt = rt_alloc(sizeof *prompt);
    *prompt = (Prompt){.complete = complete, .context = context, .text = ""};
    prompt->editor = el_init("lathe", stdin, stdout, stderr);
    prompt->history = history_init();
    history(prompt->history, &prompt->event, H_SETSIZE, MOST_LINES);
    history(prompt->history, &prompt->event, H_SETUNIQUE, 1);
    if (file && is_history(file)) {
        prompt->file = rt_format("%s", file);
        history(prompt->history, &prompt->event, H_LOAD,
                file); /* there may be none yet */
    }
    el_set(prompt->editor, EL_CLIENTDATA, prompt);
    el_set(prompt->editor, EL_PROMPT_ESC, text_of, '\1');
    el_set(prompt->editor, EL_HIST, history, prompt->history);
    bind_keys(prompt->editor);
    return prompt;
}

void prompt_close(Prompt *prompt)
{
    if (prompt == NULL)
        return;
    el_end(prompt->editor);
    history_end(prompt->history);
    free(prompt->file);
    free(prompt);
}

char *prompt_read(Prompt *prompt, const char *text, bool *cancelled)
{
    int count = 0;
    prompt->text = text;
    prompt->cancelled = false;
    /* libedit itself shows the prompt first: a key pressed at once would be the
     * terminal's. */
    el_set(prompt->editor, EL_PREP_TERM, 1);
    const char *line = el_gets(prompt->editor, &count);
    *cancelled = prompt->cancelled;
    if (prompt->cancelled) {
        el_reset(prompt->editor);
        return rt_format("%s", "");
    }
    if (line == NULL || count <= 0)
        return NULL;
    size_t length = strcspn(line, "\n");
    if (length > strspn(line, " \t")) {
        history(prompt->history, &prompt->event, H_ENTER, line);
        if (prompt->file)
            history(prompt->history, &prompt->event, H_SAVE, prompt->file);
    }
    return rt_format("%.*s", (int)length, line);
}
