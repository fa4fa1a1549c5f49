/* Chrome DevTools protocol: JSON messages, each ended by a 0, written to the browser's
 * descriptor 3 and read from its 4. See browser.h. */
#include "tests/tools/browser.h"

#include "runtime/base/support.h"
#include "tests/tools/folder.h"

#include <check.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { PATIENCE = 40000, BEYOND = 20 }; /* milliseconds; a descriptor nothing else has */

static void become_browser(int in, int out, bool dark)
{
    int from = fcntl(in, F_DUPFD, BEYOND), to = fcntl(out, F_DUPFD, BEYOND);
    int quiet = open("/dev/null", O_RDWR);
    char *profile = rt_format("--user-data-dir=%s", in_folder("profile"));
    dup2(from, 3);
    dup2(to, 4);
    dup2(quiet, 1);
    dup2(quiet, 2);
    close(from);
    close(to);
    execlp("chromium", "chromium", "--headless", "--no-sandbox", "--disable-gpu",
           "--disable-quic", "--no-first-run", "--disable-background-networking",
           "--disable-component-update", "--disable-sync", "--disable-extensions",
           "--disable-dev-shm-usage", "--window-size=1440,1000",
           "--remote-debugging-pipe",
           dark ? "--blink-settings=preferredColorScheme=0"
                : "--blink-settings=preferredColorScheme=1",
           profile, (char *)NULL);
    _exit(127);
}

/* The next message; the test fails when none comes. */
static char *receive(Browser *browser)
{
    char *text = NULL;
    size_t bytes;
    FILE *stream = open_memstream(&text, &bytes);
    for (;;) {
        struct pollfd wait = {.fd = browser->from, .events = POLLIN};
        char byte;
        ck_assert_msg(poll(&wait, 1, PATIENCE) == 1, "chromium says nothing");
        ck_assert_msg(read(browser->from, &byte, 1) == 1, "chromium has ended");
        if (byte == 0)
            break;
        fputc(byte, stream);
    }
    fclose(stream);
    return text;
}

static void note_errors(Browser *browser, const char *message)
{
    bool error = strstr(message, "\"method\":\"Runtime.exceptionThrown\"") ||
                 (strstr(message, "\"method\":\"Log.entryAdded\"") &&
                  strstr(message, "\"level\":\"error\"")) ||
                 (strstr(message, "\"method\":\"Runtime.consoleAPICalled\"") &&
                  strstr(message, "\"type\":\"error\""));
    if (!error)
        return;
    char *longer = rt_format("%s%s\n", browser->errors, message);
    free(browser->errors);
    browser->errors = longer;
}

/* Receive until a message has this text. */
static char *receive_with(Browser *browser, const char *text)
{
    for (;;) {
        char *message = receive(browser);
        note_errors(browser, message);
        ck_assert_msg(strncmp(message, "{\"error\":", 9) != 0, "%s", message);
        if (strstr(message, text))
            return message;
        free(message);
    }
}

/* Call a method with parameters in JSON; its answer. */
static char *call(Browser *browser, const char *method, const char *parameters)
{
    int id = ++browser->requests;
    char *session = browser->session[0]
                        ? rt_format(",\"sessionId\":\"%s\"", browser->session)
                        : rt_format("%s", "");
    char *message = rt_format("{\"id\":%d,\"method\":\"%s\",\"params\":{%s}%s}", id,
                              method, parameters, session);
    size_t length = strlen(message) + 1;
    ck_assert_int_eq(write(browser->to, message, length), (ssize_t)length);
    char *mark = rt_format("{\"id\":%d,", id);
    char *answer = receive_with(browser, mark);
    ck_assert_msg(strstr(answer, "\"error\":{") == NULL, "%s: %s", method, answer);
    free(session);
    free(message);
    free(mark);
    return answer;
}

/* The text behind "name":" in JSON, escapes left as they are; free() it. */
static char *text_field(const char *json, const char *name)
{
    char *mark = rt_format("\"%s\":\"", name);
    const char *first = strstr(json, mark), *end;
    ck_assert_msg(first != NULL, "no %s in %s", name, json);
    first += strlen(mark);
    for (end = first; *end && *end != '"'; end++)
        end += *end == '\\' && end[1];
    free(mark);
    return rt_format("%.*s", (int)(end - first), first);
}

static void call_only(Browser *browser, const char *method, const char *parameters)
{
    free(call(browser, method, parameters));
}

void browser_open(Browser *browser, const char *url, bool dark)
{
    int in[2], out[2];
    *browser = (Browser){.errors = rt_format("%s", "")};
    ck_assert(pipe2(in, O_CLOEXEC) == 0 && pipe2(out, O_CLOEXEC) == 0);
    browser->process = fork();
    ck_assert_int_ge(browser->process, 0);
    if (browser->process == 0)
        become_browser(in[0], out[1], dark);
    close(in[0]);
    close(out[1]);
    browser->to = in[1];
    browser->from = out[0];
    char *answer = call(browser, "Target.createTarget", "\"url\":\"about:blank\"");
    char *target = text_field(answer, "targetId");
    char *wanted = rt_format("\"targetId\":\"%s\",\"flatten\":true", target);
    char *attached = call(browser, "Target.attachToTarget", wanted);
    char *session = text_field(attached, "sessionId");
    snprintf(browser->session, sizeof browser->session, "%s", session);
    call_only(browser, "Runtime.enable", "");
    call_only(browser, "Log.enable", "");
    call_only(browser, "Page.enable", "");
    char *where = rt_format("\"url\":\"%s\"", url);
    call_only(browser, "Page.navigate", where);
    browser_wait(browser,
                 "document.readyState === 'complete' && location.href !== 'about:blank'");
    free(answer);
    free(target);
    free(wanted);
    free(attached);
    free(session);
    free(where);
}

void browser_close(Browser *browser)
{
    browser->session[0] = 0;
    call_only(browser, "Browser.close", "");
    close(browser->to);
    close(browser->from);
    ck_assert_int_eq(waitpid(browser->process, NULL, 0), browser->process);
    free(browser->errors);
}

/* A JavaScript expression as part of a JSON text. */
static char *escaped(const char *text)
{
    char *copy = rt_alloc(2 * strlen(text) + 1), *end = copy;
    for (; *text; text++) {
        if (*text == '"' || *text == '\\')
            *end++ = '\\';
        *end++ = *text;
    }
    return copy;
}

char *browser_value(Browser *browser, const char *expression)
{
    char *safe = escaped(expression);
    char *wanted =
        rt_format("\"returnByValue\":true,\"expression\":\"String(%s)\"", safe);
    char *answer = call(browser, "Runtime.evaluate", wanted);
    ck_assert_msg(strstr(answer, "\"exceptionDetails\"") == NULL, "%s: %s", expression,
                  answer);
    char *value = text_field(answer, "value");
    free(safe);
    free(wanted);
    free(answer);
    return value;
}

void browser_wait(Browser *browser, const char *expression)
{
    enum { STEP = 20 };
    for (int waited = 0;; waited += STEP) {
        char *value = browser_value(browser, expression);
        bool done = strcmp(value, "true") == 0;
        free(value);
        if (done)
            return;
        ck_assert_msg(waited < PATIENCE, "never true: %s", expression);
        nanosleep(&(struct timespec){.tv_nsec = STEP * 1000000L}, NULL);
    }
}

void browser_click(Browser *browser, const char *selector)
{
    char *middle = rt_format("(element => { element.scrollIntoView({ block: 'center' });"
                             " const r = element.getBoundingClientRect();"
                             " return r.x + r.width / 2 + ' ' + (r.y + r.height / 2); })"
                             "(document.querySelector('%s'))",
                             selector);
    char *value = browser_value(browser, middle);
    double x, y;
    ck_assert_int_eq(sscanf(value, "%lf %lf", &x, &y), 2);
    static const char *const types[] = {"mousePressed", "mouseReleased"};
    for (int i = 0; i < 2; i++) {
        char *event = rt_format("\"type\":\"%s\",\"button\":\"left\",\"clickCount\":1,"
                                "\"x\":%.1f,\"y\":%.1f",
                                types[i], x, y);
        call_only(browser, "Input.dispatchMouseEvent", event);
        free(event);
    }
    free(middle);
    free(value);
}
