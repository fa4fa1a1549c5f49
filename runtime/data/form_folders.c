/* Pictures in class folders, of a folder or a tar archive: train/CLASS/... with
 * val or test beside it, or CLASS/... alone. classes.txt beside the folders
 * numbers the classes. */
#include "runtime/data/classes.h"
#include "runtime/data/forms.h"
#include "runtime/data/pack.h"

#include "runtime/base/support.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* The first that is there has the images to test with. */
static const char *const test_names[] = {"val", "valid", "validation", "test"};
enum { TEST_NAMES = sizeof test_names / sizeof *test_names };

/* What a listing turns out to hold. */
typedef struct {
    const Load *load;
    Listing *listing;
    size_t below;     /* characters of all paths to skip: a folder around it all */
    const char *test; /* of test_names, beside train; NULL: class folders alone */
    int *items; /* [count] pictures that are wanted, and which class folder each is in */
    char **folders; /* [count] */
    bool *is_test;  /* [count] */
    int count;
    int *class_folders; /* [class_folder_count] items, empty ones included */
    int class_folder_count;
} Layout;

static const char *path_of(const Layout *layout, int i)
{
    const char *path = layout->listing->items[i].path;
    return strlen(path) > layout->below ? path + layout->below : "";
}

static bool begins(const char *path, const char *folder)
{
    size_t length = strlen(folder);
    return strncmp(path, folder, length) == 0 &&
           (path[length] == '/' || path[length] == 0);
}

static bool names_part(const char *path)
{
    bool is = begins(path, "train");
    for (int i = 0; i < TEST_NAMES; i++)
        is = is || begins(path, test_names[i]);
    return is;
}

static bool is_picture(const Layout *layout, int i)
{
    const Listed *it = &layout->listing->items[i];
    return !it->is_folder && name_is_picture(it->path);
}

/* Skip a folder that all pictures are in, with folders between:
 * "imagenet_val/n01440764/". */
static void skip_around(Layout *layout)
{
    for (;;) {
        const char *first = NULL;
        for (int i = 0; i < layout->listing->count; i++) {
            const char *path = path_of(layout, i), *slash = strchr(path, '/');
            if (!is_picture(layout, i))
                continue;
            if (slash == NULL || strchr(slash + 1, '/') == NULL || names_part(path) ||
                (first && strncmp(path, first, (size_t)(slash - path) + 1) != 0))
                return;
            first = path;
        }
        if (first == NULL)
            return;
        layout->below += (size_t)(strchr(first, '/') - first) + 1;
    }
}

static bool has_folder(const Layout *layout, const char *name)
{
    for (int i = 0; i < layout->listing->count; i++)
        if (begins(path_of(layout, i), name) &&
            (path_of(layout, i)[strlen(name)] == '/' ||
             layout->listing->items[i].is_folder))
            return true;
    return false;
}

static bool find_parts(Layout *layout)
{
    const char *root = layout->load->path;
    bool train = has_folder(layout, "train");
    for (int i = 0; i < TEST_NAMES && layout->test == NULL; i++)
        if (has_folder(layout, test_names[i]))
            layout->test = test_names[i];
    if (train && layout->test == NULL)
        return rt_fail("%s: train has neither val nor test beside it", root);
    return train || layout->test == NULL || !(layout->load->parts & DATA_TRAIN) ||
           rt_fail("%s: %s has no train beside it", root, layout->test);
}

/* Item i, if it is of a part that is looked at: the class folder it is in, or is. */
static bool take(Layout *layout, int i)
{
    const char *path = path_of(layout, i), *class = path;
    bool test = layout->test && begins(path, layout->test);
    if (layout->test && !test && !begins(path, "train"))
        return true;
    if (layout->test)
        class = strchr(path, '/') ? strchr(path, '/') + 1 : "";
    size_t length = strcspn(class, "/");
    bool picture = is_picture(layout, i);
    if (picture && class[length] == 0) {
        char *name = listing_name(layout->listing, i);
        rt_fail("%s: a picture outside of the class folders", name);
        free(name);
        return false;
    }
    if (layout->listing->items[i].is_folder && length > 0 && class[length] == 0)
        layout->class_folders[layout->class_folder_count++] = i;
    if (!picture)
        return true;
    layout->items[layout->count] = i;
    layout->is_test[layout->count] = test;
    layout->folders[layout->count++] = rt_format("%.*s", (int)length, class);
    return true;
}

/* Pictures are sorted by path, but folders' names may stand between. */
static bool check_empty(const Layout *layout)
{
    int i = 0;
    for (int f = 0; f < layout->class_folder_count; f++) {
        const char *folder = path_of(layout, layout->class_folders[f]);
        bool found = false;
        for (int tries = 0; tries < layout->count && !found; tries++) {
            found = begins(path_of(layout, layout->items[i]), folder);
            i = found ? i : (i + 1) % layout->count;
        }
        if (found)
            continue;
        char *name = listing_name(layout->listing, layout->class_folders[f]);
        rt_fail("%s: a class folder without pictures (.jpg, .jpeg, .png)", name);
        free(name);
        return false;
    }
    return true;
}

/* The text of classes.txt, if there is one; free() it. False when it cannot be read. */
static bool read_classes(const Layout *layout, char **text)
{
    *text = NULL;
    for (int i = 0; i < layout->listing->count; i++) {
        if (strcmp(path_of(layout, i), "classes.txt") != 0)
            continue;
        PictureError error;
        size_t bytes;
        char *data = (char *)listing_read(layout->listing, i, &bytes, &error);
        if (data == NULL)
            return rt_fail("%s: classes.txt: %s", layout->listing->root, error.text);
        *text = rt_format("%.*s", (int)bytes, data);
        free(data);
    }
    return true;
}

static bool load_layout(Layout *layout)
{
    char *text;
    Classes classes;
    const Load *load = layout->load;
    if (!check_empty(layout) || !read_classes(layout, &text))
        return false;
    bool ok = classes_make(&classes, load->path, load->want,
                           (const char *const *)layout->folders, layout->count, text);
    free(text);
    if (!ok)
        return false;
    int32_t *labels = rt_alloc(((size_t)layout->count + 1) * sizeof *labels);
    for (int i = 0; i < layout->count; i++)
        labels[i] = classes_find(&classes, layout->folders[i]);
    ok = form_pictures(load, layout->listing, layout->items, labels,
                       layout->test ? layout->is_test : NULL, layout->count, &classes);
    classes_free(&classes);
    free(labels);
    return ok;
}

static bool load_listing(const Load *load, Listing *listing)
{
    size_t count = (size_t)listing->count + 1;
    Layout layout = {.load = load,
                     .listing = listing,
                     .items = rt_alloc(count * sizeof(int)),
                     .folders = rt_alloc(count * sizeof(char *)),
                     .is_test = rt_alloc(count),
                     .class_folders = rt_alloc(count * sizeof(int))};
    skip_around(&layout);
    bool ok = find_parts(&layout);
    for (int i = 0; i < listing->count && ok; i++)
        ok = take(&layout, i);
    if (ok && layout.count == 0)
        ok = rt_fail("%s: no pictures (.jpg, .jpeg, .png) in class folders", load->path);
    ok = ok && load_layout(&layout);
    for (int i = 0; i < layout.count; i++)
        free(layout.folders[i]);
    free(layout.class_folders);
    free(layout.folders);
    free(layout.is_test);
    free(layout.items);
    return ok;
}

/* ---- Folders, archives and packs ---- */

bool folders_is(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 && S_ISDIR(status.st_mode) &&
           listing_finds_pictures(path);
}

bool folders_load(const Load *load)
{
    Listing listing;
    bool ok = listing_of_folder(load->path, &listing) && load_listing(load, &listing);
    listing_free(&listing);
    return ok;
}

bool archive_is(const char *path)
{
    static const char *const ends[] = {".tar",     ".tar.gz",  ".tgz", ".tar.xz", ".txz",
                                       ".tar.bz2", ".tar.zst", ".tbz", ".tzst"};
    bool is = false;
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
        is = is || name_ends(path, ends[i]);
    return is;
}

bool archive_load(const Load *load)
{
    Listing listing;
    bool ok = listing_of_archive(load->path, &listing) && load_listing(load, &listing);
    listing_free(&listing);
    return ok;
}

bool pack_is(const char *path)
{
    return pack_begins(path);
}

bool pack_load(const Load *load)
{
    Listing listing;
    bool ok = listing_of_pack(load->path, &listing) &&
              (csv_is_packed(&listing) ? csv_load_packed(load, &listing)
                                       : load_listing(load, &listing));
    listing_free(&listing);
    return ok;
}
