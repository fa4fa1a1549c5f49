/* The page of `lathe show --html`: its bytes, and what it does in a real browser. */
#include "tests/suites.h"

#include "gen/show/page.h"
#include "runtime/base/support.h"
#include "tests/tools/browser.h"
#include "tests/tools/built_net.h"
#include "tests/tools/folder.h"
#include "tests/tools/process.h"

#include <stdlib.h>
#include <string.h>

/* Write the page of a config with an awkward class name. */
static void write_page(const char *config, const char *const *sets, int count,
                       const char *path)
{
    const CompileOptions compile = {.target = target_find("avx2")};
    Config loaded;
    Inspection it;
    ck_assert_msg(config_load(config, sets, count, &loaded), "%s", rt_error());
    const Subject subject = {&loaded, config, sets, count, &compile};
    ck_assert_msg(inspect_open(&it, &subject, NULL), "%s", rt_error());
    ck_assert_msg(page_write(&it, path), "%s", rt_error());
    inspect_close(&it);
    config_free(&loaded);
}

static const char *const nets[] = {"residual", "quant_family", "odd"};
static const char awkward[] =
    "data.classes={ '</script><b>&amp;', 'b', 'c', 'd', '\"e' }";

START_TEST(pages_stand_alone_and_repeat)
{
    char *config = net_path(nets[_i]);
    const char *const sets[] = {awkward};
    int count = _i < 2; /* odd has other classes */
    write_page(config, sets, count, in_folder("a.html"));
    write_page(config, sets, count, in_folder("b.html"));
    check_same_bytes(in_folder("a.html"), in_folder("b.html"));
    char *text = rt_read_file(in_folder("a.html"), NULL);
    ck_assert_ptr_nonnull(text);
    static const char *const none[] = {"http://", "https://", " src=", "@import", "url("};
    for (size_t i = 0; i < sizeof none / sizeof *none; i++)
        ck_assert_msg(strstr(text, none[i]) == NULL, "%s", none[i]);
    if (count) {
        ck_assert_ptr_nonnull(strstr(text, "&lt;/script&gt;&lt;b&gt;&amp;amp;"));
        ck_assert_ptr_null(strstr(text, "</script><b>"));
    }
    free(text);
    free(config);
}
END_TEST

START_TEST(no_infer_program_is_said)
{
    char *config = net_path("quant_family");
    const char *const sets[] = {"quant.layers={{ 'b0_a', w_bits = 32 }}"};
    write_page(config, sets, 1, in_folder("a.html"));
    char *text = rt_read_file(in_folder("a.html"), NULL);
    ck_assert_ptr_nonnull(strstr(text, "There is no infer program: "));
    ck_assert_ptr_nonnull(strstr(text, "b0_a: weights are kept at 32 bits"));
    ck_assert_ptr_null(strstr(text, "<h3>infer.c</h3>"));
    free(text);
    free(config);
}
END_TEST

#ifndef __SANITIZE_ADDRESS__ /* once is enough: the plain run */

static void check_value(Browser *browser, const char *expression, const char *want)
{
    char *value = browser_value(browser, expression);
    ck_assert_str_eq(value, want);
    free(value);
}

/* Click, and wait until the panel is about the layer. */
static void click_for(Browser *browser, const char *selector, const char *layer)
{
    char *shown =
        rt_format("document.getElementById('panel').dataset.picked === '%s'", layer);
    browser_click(browser, selector);
    browser_wait(browser, shown);
    free(shown);
}

static const char code[] = "document.getElementById('code').textContent.includes('%s')";

static void check_code(Browser *browser, const char *text, bool there)
{
    char *expression = rt_format(code, text);
    check_value(browser, expression, there ? "true" : "false");
    free(expression);
}

/* Through each way to pick a layer; layers of residual.lua: 1 image, 2 stem, 6 b0_a. */
START_TEST(clicks_show_a_layers_code)
{
    Browser browser;
    char *config = net_path("residual");
    write_page(config, NULL, 0, in_folder("page.html"));
    char *url = rt_format("file://%s", in_folder("page.html"));
    browser_open(&browser, url, _i);
    check_value(&browser, "document.getElementById('panel').dataset.picked", "stem");
    check_code(&browser, "train_stem_forward(", true);

    click_for(&browser, "tr[data-layer=\"6\"] .op", "b0_a"); /* a row of the table */
    check_code(&browser, "train_b0_a_forward(", true);
    check_code(&browser, "static void conv_3x3_", true); /* with its kernel */
    check_code(&browser, "train_stem_forward(", false);
    check_value(&browser, "document.querySelector('tr.picked a').textContent", "b0_a");

    browser_click(&browser, "button[data-pass=tb]"); /* another pass */
    check_code(&browser, "train_b0_a_backward_weight(", true);
    check_code(&browser, "train_b0_a_forward(", false);
    browser_click(&browser, "button[data-pass=if]");
    check_code(&browser, "static void residual_b0_a_forward(", true);

    click_for(&browser, "circle[data-layer=\"2\"]", "stem"); /* the graph */
    click_for(&browser, "#memory rect[data-layer=\"6\"]", "b0_a");
    click_for(&browser, "tr[data-layer=\"7\"] a", "b0_a_bn"); /* folded away in infer */
    check_value(&browser, "document.querySelector('#panel .note a').textContent", "b0_a");
    click_for(&browser, "#panel .note a", "b0_a");
    click_for(&browser, ".source [data-of=\"2:tf\"][data-kind=function] pre:last-of-type",
              "stem"); /* a line of the source */

    check_value(&browser, "getComputedStyle(document.body).backgroundColor",
                _i ? "rgb(21, 24, 28)" : "rgb(251, 250, 248)");
    check_value(&browser, "performance.getEntriesByType('resource').length", "0");
    ck_assert_str_eq(browser.errors, "");
    browser_close(&browser);
    free(url);
    free(config);
}
END_TEST
#endif

Suite *page_suite(void)
{
    TCase *tests = tcase_create("page");
    tcase_add_checked_fixture(tests, folder_make, folder_remove);
    tcase_set_timeout(tests, 120);
    tcase_add_loop_test(tests, pages_stand_alone_and_repeat, 0, 3);
    tcase_add_test(tests, no_infer_program_is_said);
#ifndef __SANITIZE_ADDRESS__
    if (program_installed("chromium"))
        tcase_add_loop_test(tests, clicks_show_a_layers_code, 0, 2);
    else
        puts("page: no chromium, so the page is not tested in a browser");
#endif
    Suite *suite = suite_create("page");
    suite_add_tcase(suite, tests);
    return suite;
}
