/* Text from outside stays text: whatever a config's path, its strings, words of the
 * command line and names of files hold, the code that is made is the same, compilers have
 * nothing to say of it, the page has the same elements, and terminals get no control
 * character. */
#include "tests/suites.h"

#include "gen/base/paths.h"
#include "gen/config/config.h"
#include "runtime/base/support.h"
#include "tests/tools/browser.h"
#include "tests/tools/folder.h"
#include "tests/tools/lathe_run.h"
#include "tests/tools/process.h"
#include "tests/tools/random_weights.h"
#include "tests/tools/sanitized.h"

#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct {
    const char *text;
    bool refused; /* where a line of text is wanted */
    bool no_name; /* of a file that is included */
} hostile[] = {
    {"plain too", false, false},
    {"quotes \"'` \" + \"", false, true},
    {"\"}; int injected(void) { return 1; } // x", false, true},
    {"a */ int injected; /* b", false, false},
    {"*/", false, false},
    {"/*", false, false},
    {"trigraphs ?\?/ ?\?\?\?/ ?\?' ?\?(?\?)", false, true},
    {"ends in ?\?/", false, true},
    {"ends in a backslash\\", false, true},
    {"\\u0041 \\", false, true},
    {"#include <no_such.h> # x", false, false},
    {"\n#error injected\n", true, true},
    {"a\\\nb", true, true},
    {"$(shell touch injected)$$(x)${y} $@", false, false},
    {"%s%n%d 100%", false, false},
    {"a;b|c&d e\te", true, true},
    {"\x1b[2J\x1b]0;x\a\x1b[31m", true, true},
    {"\r\b\x7f\f\v", true, true},
    {"\xc2\x9b"
     "2J",
     true, true},
    {"</script><script>hit=1</script>", false, false},
    {"\"><svg onload=hit=1><!--", false, true},
    {"'><img src=x onerror=hit=1>&quot;&lt;", false, false},
    {"-- ]] ]==] --[[", false, false},
    {"caf\xc3\xa9 \xe7\x8c\xab", false, false},
    {"no UTF-8 \xff\xc3", true, true},
    {"\xe2\x80\xae"
     "backwards",
     true, true},
};
enum { TEXTS = sizeof hostile / sizeof *hostile };
#define HOSTILE hostile[SAMPLED(_i)] /* of this test */

/* ---- What is said ---- */

/* Bytes a terminal acts on, C1 controls in UTF-8 among them. */
static void check_printable(const char *text)
{
    for (const unsigned char *p = (const unsigned char *)text; *p; p++) {
        bool control = (*p < ' ' && *p != '\n') || *p == 127 ||
                       (*p == 0xc2 && p[1] >= 0x80 && p[1] < 0xa0) ||
                       (*p == 0xe2 && p[1] == 0x80 && p[2] == 0xae);
        ck_assert_msg(!control, "byte %d at %.80s", *p, text);
    }
}

#define SAYS_OK(...)                                                                     \
    do {                                                                                 \
        LATHE_OK(__VA_ARGS__);                                                           \
        check_printable(out);                                                            \
    } while (0)

/* It fails, with as many lines as it likes. */
#define FAILS_LONG(...)                                                                  \
    do {                                                                                 \
        int failed = LATHE(__VA_ARGS__);                                                 \
        ck_assert_msg(failed == 1, "status %d: %s%s", failed, out, err);                 \
        check_printable(out);                                                            \
        check_printable(err);                                                            \
    } while (0)

/* With one. */
#define FAILS(...)                                                                       \
    do {                                                                                 \
        FAILS_LONG(__VA_ARGS__);                                                         \
        ck_assert_msg(strchr(err, '\n') == err + strlen(err) - 1, "%s", err);            \
    } while (0)

/* ---- Code without comments and strings ---- */

/* The next character as C has it after trigraphs and joined lines. */
static char next_character(const char **p)
{
    static const char names[] = "=(/)'<!>-", meant[] = "#[\\]^{|}~";
    for (;;) {
        const char *s = *p, *name = NULL;
        if (s[0] == '?' && s[1] == '?' && s[2])
            name = strchr(names, s[2]);
        char c = name ? meant[name - names] : *s;
        s += name ? 3 : *s != 0;
        *p = s;
        if (c != '\\' || *s != '\n')
            return c;
        *p = s + 1;
    }
}

/* What is left of the text; line breaks stay. free() it. */
static char *bare_code(const char *text)
{
    enum { CODE, STRING, CHARACTER, BLOCK, LINE } state = CODE;
    char *bare = rt_alloc(strlen(text) + 2), *to = bare;
    while (*text) {
        char c = next_character(&text);
        const char *after = text;
        char following = *text ? next_character(&after) : 0;
        if (state == CODE && c == '/' && (following == '*' || following == '/')) {
            state = following == '*' ? BLOCK : LINE;
            text = after;
            c = 0;
        } else if (state == BLOCK && c == '*' && following == '/') {
            state = CODE;
            text = after;
            continue;
        } else if ((state == STRING || state == CHARACTER) && c == '\\') {
            text = after;
            continue;
        } else if ((state == STRING && c == '"') || (state == CHARACTER && c == '\'') ||
                   (state == LINE && c == '\n')) {
            state = CODE;
        } else if (state == CODE && (c == '"' || c == '\'')) {
            *to++ = c;
            state = c == '"' ? STRING : CHARACTER;
            continue;
        }
        if (c && (state == CODE || c == '\n'))
            *to++ = c;
    }
    *to = 0;
    return bare;
}

/* A makefile without its comments. */
static char *bare_make(const char *text)
{
    char *bare = rt_alloc(strlen(text) + 1), *to = bare;
    while (*text) {
        size_t length = strcspn(text, "\n") + (text[strcspn(text, "\n")] == '\n');
        if (*text != '#') {
            memcpy(to, text, length);
            to += length;
        }
        text += length;
    }
    *to = 0;
    return bare;
}

static void check_same_code(const char *a, const char *b, char *bare(const char *))
{
    char *texts[2] = {rt_read_file(a, NULL), rt_read_file(b, NULL)};
    ck_assert_msg(texts[0] && texts[1], "%s", rt_error());
    char *codes[2] = {bare(texts[0]), bare(texts[1])};
    size_t same = 0;
    while (codes[0][same] && codes[0][same] == codes[1][same])
        same++;
    ck_assert_msg(codes[0][same] == codes[1][same], "%s and %s: \"%.60s\", \"%.60s\"", a,
                  b, codes[0] + same, codes[1] + same);
    for (int i = 0; i < 2; i++) {
        free(texts[i]);
        free(codes[i]);
    }
}

/* ---- Compilers ---- */

static void check_compiles(const char *source, const char *standard)
{
    static const char *const compilers[] = {"gcc", "clang", "tcc"};
    char *root = rt_format("-I%s", lathe_root());
    char *path = rt_format("./%s", source);
    for (int i = 0; i < 3; i++)
        if (program_installed(compilers[i])) /* tcc knows no -Wextra and -Wpedantic */
            compile_quietly(WORDS(compilers[i], "-Wall", i < 2 ? "-Wextra" : "-Wall",
                                  i < 2 ? "-Wpedantic" : "-Wall",
                                  i < 2 ? "-Wno-overlength-strings" : "-Wall", standard,
                                  "-c", "-o", "object.o", root, path));
    free(root);
    free(path);
}

/* ---- A config, and one with the text wherever there can be some ---- */

static const char config[] =
    "return {\n"
    "    net = { note = 'x', torch = 'm', layers = function(net)\n"
    "        local x = conv{ image{ 8, 8, 3 }, name = 'c', out = 8, kernel = 3, stride = "
    "1,\n"
    "            torch = net.torch }\n"
    "        return dense{ avgpool(relu(bn(x))), name = 'fc', out = 2 }\n"
    "    end },\n"
    "    train = { epochs = 1, batch = 8, held_out = 0 },\n"
    "}\n";

static char *config_path(const char *text)
{
    char *path = rt_format("at/%s/n.lua", text), *copy = rt_format("%s", path);
    ck_assert(rt_make_directories(dirname(copy)));
    write_text(path, config);
    free(copy);
    return path;
}

/* "field=text" as --set wants it, each byte by its number. */
static char *set_text(const char *field, const char *text, const char *more)
{
    char *set = rt_format("%s\"", field);
    for (; *text; text++) {
        char *longer = rt_format("%s\\%03d", set, (unsigned char)*text);
        free(set);
        set = longer;
    }
    char *whole = rt_format("%s\"%s", set, more);
    free(set);
    return whole;
}

/* The words behind the config: the text as --set, in a comment, as it is; and in
 * strings. */
typedef struct {
    char *path, *as_is, *note, *torch, *classes;
} Subject;

static Subject subject_of(const char *text, bool refused)
{
    const char *inside = refused ? "plain" : text;
    return (Subject){.path = config_path(text),
                     .as_is = rt_format("train.seed=1 --[===[ %s ]===]", text),
                     .note = set_text("net.note=", inside, ""),
                     .torch = set_text("net.torch=", inside, ""),
                     .classes = set_text("data.classes={", inside, ", 'b' }")};
}

static void subject_free(Subject *s)
{
    free(s->path);
    free(s->as_is);
    free(s->note);
    free(s->torch);
    free(s->classes);
}

#define SUBJECT(s)                                                                       \
    (s)->path, "--set", (s)->as_is, "--set", (s)->note, "--set", (s)->torch, "--set",    \
        (s)->classes

static void make_weights(const char *path)
{
    Config loaded;
    ck_assert_msg(config_load(path, NULL, 0, &loaded), "%s", rt_error());
    float *params = rt_alloc(loaded.net.param_floats * sizeof(float)),
          *stats = rt_alloc(loaded.net.stat_floats * sizeof(float));
    random_weights(&loaded.net, params, stats);
    random_checkpoint(&loaded, params, stats, "w.ckpt");
    config_free(&loaded);
    free(params);
    free(stats);
}

static Subject harmless;

static void hostile_make(void)
{
    folder_make();
    ck_assert_int_eq(chdir(in_folder(".")), 0);
    harmless = subject_of("plain", false);
    make_weights(harmless.path);
}

static void hostile_clean_up(void)
{
    subject_free(&harmless);
    ck_assert_int_ne(access("injected", F_OK), 0);
    lathe_clean_up();
}

START_TEST(trainers_are_the_same_code)
{
    Subject s = subject_of(HOSTILE.text, HOSTILE.refused);
    SAYS_OK("gen", SUBJECT(&harmless), "--target", "tcc", "-o", "a");
    SAYS_OK("gen", SUBJECT(&s), "--target", "tcc", "-o", "b");
    check_same_code("a/network.c", "b/network.c", bare_code);
    check_same_code("a/train.c", "b/train.c", bare_code);
    check_same_code("a/Makefile", "b/Makefile", bare_make);
    check_compiles("b/network.c", "-std=gnu11");
    check_compiles("b/train.c", "-std=gnu11");
    char *report = rt_read_file("b/report.txt", NULL);
    check_printable(report);
    free(report);
    subject_free(&s);
}
END_TEST

START_TEST(shipped_files_are_the_same_code)
{
    Subject s = subject_of(HOSTILE.text, HOSTILE.refused);
    const char *name = HOSTILE.no_name ? "plain too" : HOSTILE.text;
    char *output = rt_format("out of/%sn.c", name), *copy = rt_format("%s", output);
    ck_assert(rt_make_directories(dirname(copy)));
    char *stem = rt_format("%.*s", (int)strlen(output) - 2, output);
    char *header = rt_format("%s.h", stem), *weights = rt_format("%s_weights.c", stem);
    for (int split = 0; split < 2; split++) {
        const char *way = split ? "--split" : "--target=avx2";
        SAYS_OK("emit", SUBJECT(&harmless), "--weights", "w.ckpt", way, "-o", "a.c");
        SAYS_OK("emit", SUBJECT(&s), "--weights", "w.ckpt", way, "-o", output);
        check_same_code("a.c", output, bare_code);
        check_same_code("a.h", header, bare_code);
        check_compiles(output, "-std=c99");
    }
    check_same_code("a_weights.c", weights, bare_code);
    check_compiles(weights, "-std=c99");
    free(output);
    free(copy);
    free(stem);
    free(header);
    free(weights);
    subject_free(&s);
}
END_TEST

START_TEST(where_lines_are_wanted_the_rest_is_refused)
{
    const char *text = HOSTILE.text;
    char *sets[] = {set_text("net.note=", text, ""), set_text("net.torch=", text, ""),
                    set_text("data.classes={", text, ", 'b' }")};
    static const char *const wanted[] = {
        "net.note: want text without control characters",
        "torch: want text without control characters",
        "data.classes: want a list of names without control characters"};
    for (int i = 0; i < 3; i++) {
        if (HOSTILE.refused) {
            FAILS("gen", harmless.path, "--set", sets[i], "-o", "a");
            ck_assert_msg(strstr(err, wanted[i]) && strstr(err, harmless.path), "%s",
                          err);
        } else {
            SAYS_OK("gen", harmless.path, "--set", sets[i], "-o", "a");
        }
        free(sets[i]);
    }
    if (HOSTILE.no_name) {
        char *output = rt_format("%s.c", text);
        for (char *p = output; *p; p++)
            *p = *p == '/' ? '_' : *p; /* of one file */
        FAILS("emit", harmless.path, "--weights", "w.ckpt", "-o", output);
        ck_assert_ptr_nonnull(strstr(err, "the name goes into an #include"));
        free(output);
    }
}
END_TEST

/* A layer's name is an identifier, or there is no network. */
START_TEST(names_of_layers_are_refused)
{
    char *name = set_text("net.layers=function() return dense{ avgpool(image{ 4, 4, 3, "
                          "name = ",
                          HOSTILE.text, " }), name = 'fc', out = 2 } end");
    FAILS("gen", harmless.path, "--set", name, "-o", "a");
    const char *wanted = HOSTILE.refused ? "image: name: want text without control"
                                         : "want at most 40 of a-z, 0-9 and _";
    ck_assert_msg(strstr(err, wanted), "%s", err);
    ck_assert_ptr_nonnull(strstr(err, "--set net.layers:1: "));
    ck_assert_int_ne(access("a", F_OK), 0);
    free(name);
}
END_TEST

/* Every verb repeats its words only in print. */
START_TEST(terminals_get_text)
{
    const char *text = HOSTILE.text;
    Subject s = subject_of(text, HOSTILE.refused);
    char *lua = rt_format("none %s.lua", text), *png = rt_format("none %s.png", text);
    SAYS_OK("show", SUBJECT(&s));
    SAYS_OK("show", SUBJECT(&s), "c");
    SAYS_OK("diff", harmless.path, s.path);
    FAILS(text);
    FAILS("gen", lua);
    FAILS("gen", harmless.path, text);
    FAILS("gen", harmless.path, "--set", text);
    FAILS("gen", harmless.path, "--target", text);
    FAILS("gen", harmless.path, "--lower", text);
    FAILS("show", harmless.path, text);
    FAILS("show", harmless.path, "--weights", lua);
    FAILS("show", harmless.path, "--html", text);
    FAILS("diff", lua, png);
    FAILS("eval", harmless.path, "--data", lua, "--weights", "w.ckpt");
    FAILS("emit", harmless.path, "--weights", lua, "-o", "x.c");
    FAILS("import", harmless.path, lua, "-o", "x.ckpt");
    FAILS("export", lua, "-o", "x.npz");
    FAILS_LONG("data", "raw", png); /* one for each picture, and their number */
    FAILS("repl", lua);
    write_text("script.lua", HOSTILE.text);
    LATHE("repl", "script.lua");
    check_printable(err);
    free(lua);
    free(png);
    subject_free(&s);
}
END_TEST

#ifndef __SANITIZE_ADDRESS__ /* once is enough: the plain run */

/* Elements and names of attributes, in order, as a number. */
static char *page_shape(const char *page)
{
    Browser browser;
    char here[128], *url;
    ck_assert_ptr_nonnull(getcwd(here, sizeof here));
    url = rt_format("file://%s/%s", here, page);
    browser_open(&browser, url, false);
    char *hit = browser_value(&browser, "typeof hit");
    ck_assert_str_eq(hit, "undefined");
    char *shape = browser_value(
        &browser,
        "(() => { let sum = 0, count = 0; const add = text => { for (const c of "
        "text) sum = (sum * 31 + c.charCodeAt(0)) % 1000003; };"
        "const walk = it => { count++; add(it.tagName);"
        "for (const a of it.attributes) add(a.name);"
        "for (const child of (it.tagName === 'TEMPLATE' ? it.content : it).children) "
        "walk(child);"
        "add('/'); }; walk(document.documentElement);"
        "return count + ' elements, ' + sum; })()");
    ck_assert_str_eq(browser.errors, "");
    browser_close(&browser);
    free(hit);
    free(url);
    return shape;
}

/* All texts that a path can hold, as folders of one path; in strings one of them. */
START_TEST(pages_have_the_same_elements)
{
    char *all = rt_format("%s", "all");
    for (int i = 0; i < TEXTS; i++) {
        char *longer = rt_format("%s/%s", all, hostile[i].text);
        free(all);
        all = longer;
    }
    Subject s = subject_of(all, true);
    free(s.classes);
    s.classes = set_text("data.classes={", "</script>\"><svg onload=hit=1>", ", 'b' }");
    SAYS_OK("show", SUBJECT(&harmless), "--html", "a.html");
    SAYS_OK("show", SUBJECT(&s), "--html", "b.html");
    char *text = rt_read_file("b.html", NULL);
    ck_assert_ptr_nonnull(strstr(text, "&lt;/script&gt;&lt;script&gt;hit=1"));
    for (const char *p = text; *p; p++)
        ck_assert((unsigned char)*p >= ' ' || *p == '\n' || *p == '\t');
    char *shapes[2] = {page_shape("a.html"), page_shape("b.html")};
    ck_assert_str_eq(shapes[0], shapes[1]);
    free(shapes[0]);
    free(shapes[1]);
    free(text);
    free(all);
    subject_free(&s);
}
END_TEST
#endif

Suite *hostile_suite(void)
{
    TCase *tests = tcase_create("hostile");
    tcase_add_checked_fixture(tests, hostile_make, hostile_clean_up);
    tcase_set_timeout(tests, 120);
    tcase_add_loop_test(tests, trainers_are_the_same_code, 0, SAMPLE(TEXTS));
    tcase_add_loop_test(tests, shipped_files_are_the_same_code, 0, SAMPLE(TEXTS));
    tcase_add_loop_test(tests, where_lines_are_wanted_the_rest_is_refused, 0,
                        SAMPLE(TEXTS));
    tcase_add_loop_test(tests, names_of_layers_are_refused, 0, SAMPLE(TEXTS));
    tcase_add_loop_test(tests, terminals_get_text, 0, SAMPLE(TEXTS));
#ifndef __SANITIZE_ADDRESS__
    if (program_installed("chromium"))
        tcase_add_test(tests, pages_have_the_same_elements);
#endif
    Suite *suite = suite_create("hostile");
    suite_add_tcase(suite, tests);
    return suite;
}
