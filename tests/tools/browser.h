/* A headless Chromium, driven over its debugging pipe: pages, real clicks, errors. */
#ifndef LATHE_TEST_BROWSER_H
#define LATHE_TEST_BROWSER_H

#include <stdbool.h>
#include <stdio.h>
#include <sys/types.h>

typedef struct {
    pid_t process;
    int to, from; /* descriptors */
    int requests;
    char session[64];
    char *errors; /* what the page threw or logged as an error, a line each */
} Browser;

/* Start one with a profile of its own in the test's folder and load the page; the test
 * fails when that takes long. `dark`: as for someone who prefers dark pages. */
void browser_open(Browser *browser, const char *url, bool dark);
void browser_close(Browser *browser);

/* The value of a JavaScript expression as text, double quotes and line ends left escaped;
 * free() it. */
char *browser_value(Browser *browser, const char *expression);
/* Wait until the expression is true; the test fails when it takes seconds. */
void browser_wait(Browser *browser, const char *expression);
/* Press and release the left mouse button in the middle of the first match. */
void browser_click(Browser *browser, const char *selector);

#endif
