/* What the leak checker of sanitized builds passes over: fontconfig keeps a few hundred
 * bytes of each font it looked up, and tells nobody where. */

const char *__lsan_default_suppressions(void);
const char *__lsan_default_options(void);

const char *__lsan_default_suppressions(void)
{
    return "leak:libfontconfig\n";
}

const char *__lsan_default_options(void)
{
    return "print_suppressions=0"; /* standard error is compared */
}
