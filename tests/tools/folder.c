/* A temporary folder for one test: see test_folder.h. */
#include "tests/tools/folder.h"

#include "runtime/base/support.h"

#include <check.h>
#include <ftw.h>
#include <stdlib.h>
#include <string.h>

static char folder[64];

void folder_make(void)
{
    strcpy(folder, "/tmp/lathe-test-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    rt_error_clear();
}

static int remove_entry(const char *path, const struct stat *status, int type,
                        struct FTW *walk)
{
    (void)status;
    (void)type;
    (void)walk;
    remove(path);
    return strstr(path, ".tmp.") != NULL;
}

void folder_remove(void)
{
    int left = nftw(folder, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
    ck_assert_msg(left == 0, "a temporary file is left in %s", folder);
}

const char *in_folder(const char *name)
{
    static char paths[64][256];
    static int next;
    char *path = paths[next++ % 64];
    snprintf(path, sizeof paths[0], "%s/%s", folder, name);
    return path;
}

void write_bytes(const char *path, const void *data, size_t bytes)
{
    FILE *file = fopen(path, "wb");
    ck_assert_ptr_nonnull(file);
    ck_assert_uint_eq(fwrite(data, 1, bytes, file), bytes);
    ck_assert_int_eq(fclose(file), 0);
}

void write_text(const char *path, const char *text)
{
    write_bytes(path, text, strlen(text));
}

void check_same_bytes(const char *a, const char *b)
{
    size_t a_bytes, b_bytes;
    char *one = rt_read_file(a, &a_bytes), *other = rt_read_file(b, &b_bytes);
    ck_assert_msg(one && other, "%s", rt_error());
    ck_assert_msg(a_bytes == b_bytes && memcmp(one, other, a_bytes) == 0,
                  "%s and %s differ", a, b);
    free(one);
    free(other);
}

void check_error(const char *format, const char *path)
{
    const char *hole = strstr(format, "%s");
    ck_assert_ptr_nonnull(hole);
    char *wanted = rt_format("%.*s%s%s", (int)(hole - format), format, path, hole + 2);
    ck_assert_str_eq(rt_error(), wanted);
    free(wanted);
    rt_error_clear();
}
