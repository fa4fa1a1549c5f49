/* PyTorch checkpoints. Both formats are a pickle whose tensors are views of storages that
 * lie outside: legacy files keep them behind the pickles, zip files in entries. */
#include <stdlib.h>
#include <string.h>

#include "gen/weights/pickle.h"
#include "gen/weights/reader.h"
#include "gen/weights/state_dict.h"
#include "runtime/base/support.h"

typedef struct {
    const char *key, *type_name;
    bool known; /* a storage of numbers, of `type` */
    ElementType type;
    size_t count;
    uint64_t viewed;     /* elements that wanted tensors have in it, each counted */
    const uint8_t *data; /* NULL until found (legacy) or unpacked (zip) */
    uint8_t *unpacked;
} Storage;

typedef struct {
    WeightsReader *reader;
    Storage *storages; /* sorted by key */
    size_t storage_count;
    zip_t *archive; /* NULL: a legacy file */
    const char *folder;
    int folder_length; /* of `folder`, with its '/' */
} Torch;

static const struct {
    const char *name;
    ElementType type;
} storage_types[] = {
    {"torch.FloatStorage", ELEMENT_F32}, {"torch.DoubleStorage", ELEMENT_F64},
    {"torch.HalfStorage", ELEMENT_F16},  {"torch.BFloat16Storage", ELEMENT_BF16},
    {"torch.LongStorage", ELEMENT_I64},  {"torch.IntStorage", ELEMENT_I32},
    {"torch.ShortStorage", ELEMENT_I16}, {"torch.CharStorage", ELEMENT_I8},
    {"torch.ByteStorage", ELEMENT_U8},   {"torch.BoolStorage", ELEMENT_BOOL},
};

/* Functions that make a tensor of a storage, and a parameter of a tensor. */
#define REBUILD "torch._utils._rebuild_"

/* Storages. */

/* Read an id: ("storage", type, key, device, count), in legacy files with a None behind.
 */
static bool read_storage_id(const char *path, const Value *persistent, Storage *storage)
{
    const Value *id = persistent->items[0];
    if (id->kind != VALUE_TUPLE || id->count < 5 || id->count > 6 ||
        !value_is_text(id->items[0], "storage") || id->items[1]->kind != VALUE_GLOBAL ||
        id->items[2]->kind != VALUE_STRING || id->items[4]->kind != VALUE_INT)
        return rt_fail("%s: pickle refers to data in a way PyTorch does not", path);
    const Value *type = id->items[1], *key = id->items[2], *count = id->items[4];
    if (!weights_name_ok(key->text, key->count))
        return rt_fail("%s: pickle refers to a storage without a proper name", path);
    if (id->count == 6 && id->items[5]->kind != VALUE_NONE)
        return rt_fail("%s: storage %s is a view of another, want it whole", path,
                       key->text);
    if (count->integer < 0 || (uint64_t)count->integer > WEIGHTS_MOST_BYTES)
        return rt_fail("%s: storage %s has %lld elements, want 0 to %llu", path,
                       key->text, (long long)count->integer,
                       (unsigned long long)WEIGHTS_MOST_BYTES);
    *storage = (Storage){
        .key = key->text, .type_name = type->text, .count = (size_t)count->integer};
    for (size_t i = 0; i < sizeof storage_types / sizeof *storage_types; i++) {
        if (value_is_text(type, storage_types[i].name)) {
            storage->type = storage_types[i].type;
            storage->known = true;
        }
    }
    return true;
}

static bool check_known(const char *path, const Storage *storage)
{
    return storage->known ||
           rt_fail("%s: storage %s is a %s, want floats, integers or booleans", path,
                   storage->key, storage->type_name);
}

static int compare_keys(const void *a, const void *b)
{
    return strcmp(((const Storage *)a)->key, ((const Storage *)b)->key);
}

/* Every storage a pickle refers to, once. */
static bool collect_storages(Torch *torch, const Pickle *pickle)
{
    const char *path = torch->reader->path;
    const Value *ids = pickle->persistent;
    Storage *all = torch->storages = rt_alloc(ids->count * sizeof *all);
    for (size_t i = 0; i < ids->count; i++)
        if (!read_storage_id(path, ids->items[i], &all[i]))
            return false;
    qsort(all, ids->count, sizeof *all, compare_keys);
    size_t count = 0;
    for (size_t i = 0; i < ids->count; i++) {
        const Storage *last = count > 0 ? &all[count - 1] : NULL;
        if (last == NULL || strcmp(last->key, all[i].key) != 0)
            all[count++] = all[i];
        else if (strcmp(last->type_name, all[i].type_name) != 0 ||
                 last->count != all[i].count)
            return rt_fail("%s: storage %s is given two types or sizes", path, last->key);
    }
    torch->storage_count = count;
    return true;
}

static Storage *find_storage(const Torch *torch, const char *key)
{
    Storage wanted = {.key = key};
    return bsearch(&wanted, torch->storages, torch->storage_count, sizeof wanted,
                   compare_keys);
}

/* Not when nearly all of it is of no use: a small file may claim a large one. */
static bool unpack_storage(Torch *torch, Storage *storage)
{
    enum { FREE = 4 << 20, FAIR = 16 };
    const char *path = torch->reader->path;
    if (storage->count > FREE && storage->count / FAIR > storage->viewed)
        return rt_fail("%s: storage %s has %zu elements, of which tensors have %llu",
                       path, storage->key, storage->count,
                       (unsigned long long)storage->viewed);
    if (torch->archive == NULL)
        return rt_fail("%s: storage %s is not in the file", path, storage->key);
    char *entry =
        rt_format("%.*sdata/%s", torch->folder_length, torch->folder, storage->key);
    zip_int64_t index = zip_name_locate(torch->archive, entry, ZIP_FL_ENC_RAW);
    bool ok = index >= 0 || rt_fail("%s: entry %s is not in the zip", path, entry);
    size_t bytes = 0;
    if (ok) {
        storage->unpacked =
            zip_read_entry(path, torch->archive, (zip_uint64_t)index, &bytes);
        ok = storage->unpacked != NULL;
    }
    if (ok && bytes != storage->count * element_size(storage->type))
        ok = rt_fail("%s: entry %s has %zu bytes, want %zu elements of %zu", path, entry,
                     bytes, storage->count, element_size(storage->type));
    free(entry);
    storage->data = storage->unpacked;
    return ok;
}

static void torch_free(Torch *torch)
{
    for (size_t i = 0; i < torch->storage_count; i++)
        free(torch->storages[i].unpacked);
    free(torch->storages);
}

/* Tensors. */

/* Up to four numbers >= 0. */
static bool read_tuple(const Value *tuple, int64_t out[4], int *rank)
{
    if (tuple->kind != VALUE_TUPLE || tuple->count > 4)
        return false;
    *rank = (int)tuple->count;
    for (int i = 0; i < *rank; i++) {
        if (tuple->items[i]->kind != VALUE_INT || tuple->items[i]->integer < 0)
            return false;
        out[i] = tuple->items[i]->integer;
    }
    return true;
}

static bool is_parameter(const Value *call)
{
    return value_is_text(call->items[0], REBUILD "parameter") ||
           value_is_text(call->items[0], REBUILD "parameter_with_state");
}

/* The call of _rebuild_tensor or _rebuild_tensor_v2, perhaps inside one that makes a
 * parameter of it: both start with storage, offset, size, stride. */
static const Value *tensor_arguments(const Value *call)
{
    if (is_parameter(call)) {
        const Value *arguments = call->items[1];
        if (arguments->count == 0 || arguments->items[0]->kind != VALUE_CALL)
            return NULL;
        call = arguments->items[0];
    }
    const Value *arguments = call->items[1];
    bool ok = (value_is_text(call->items[0], REBUILD "tensor") ||
               value_is_text(call->items[0], REBUILD "tensor_v2")) &&
              arguments->count >= 4 && arguments->items[0]->kind == VALUE_PERSISTENT &&
              arguments->items[1]->kind == VALUE_INT;
    return ok ? arguments : NULL;
}

static bool in_bounds(const ElementView *view, uint64_t offset, uint64_t elements)
{
    uint64_t last = offset;
    for (int i = 0; i < view->rank; i++) {
        if (view->shape[i] == 0)
            return true;
        uint64_t step, steps = (uint64_t)view->shape[i] - 1;
        if (__builtin_mul_overflow(steps, view->stride[i], &step) ||
            __builtin_add_overflow(last, step, &last))
            return false;
    }
    return last < elements;
}

/* Where a tensor lies in which storage; the view's data are still missing. */
static bool read_view(Torch *torch, const char *name, const Value *call,
                      ElementView *view, Storage **storage, uint64_t *offset)
{
    const char *path = torch->reader->path;
    const Value *arguments = tensor_arguments(call);
    int64_t stride[4];
    int strides;
    if (arguments == NULL)
        return rt_fail("%s: %s: made by %s, want a plain tensor", path, name,
                       call->items[0]->text);
    if (arguments->items[1]->integer < 0 ||
        !read_tuple(arguments->items[2], view->shape, &view->rank) ||
        !read_tuple(arguments->items[3], stride, &strides) || strides != view->rank)
        return rt_fail(
            "%s: %s: want offset, shape and strides from 0 up, 4 dimensions at most",
            path, name);
    for (int i = 0; i < view->rank; i++)
        view->stride[i] = (uint64_t)stride[i];
    Storage id;
    if (!read_storage_id(path, arguments->items[0], &id) || !check_known(path, &id))
        return false;
    *storage = find_storage(torch, id.key);
    *offset = (uint64_t)arguments->items[1]->integer;
    view->type = id.type;
    return in_bounds(view, *offset, id.count) ||
           rt_fail("%s: %s reaches beyond the %zu elements of storage %s", path, name,
                   id.count, id.key);
}

static uint64_t elements_of(const ElementView *view)
{
    uint64_t count = 1;
    for (int i = 0; i < view->rank; i++)
        if (__builtin_mul_overflow(count, (uint64_t)view->shape[i], &count))
            return UINT64_MAX;
    return count;
}

/* Counts what a wanted tensor has of its storage. */
static bool count_tensor(Torch *torch, const Value *key, const Value *call)
{
    const char *path = torch->reader->path;
    if (key->kind != VALUE_STRING || !weights_name_ok(key->text, key->count))
        return rt_fail("%s: a tensor without a proper name", path);
    ElementView view = {0};
    Storage *storage = NULL;
    uint64_t offset = 0;
    if (!read_view(torch, key->text, call, &view, &storage, &offset))
        return false;
    uint64_t count = elements_of(&view);
    if (weights_wants(torch->reader, key->text) &&
        __builtin_add_overflow(storage->viewed, count, &storage->viewed))
        storage->viewed = UINT64_MAX;
    return true;
}

static bool read_tensor(Torch *torch, const Value *key, const Value *call)
{
    ElementView view = {0};
    Storage *storage = NULL;
    uint64_t offset = 0;
    float *values;
    if (!read_view(torch, key->text, call, &view, &storage, &offset) ||
        !weights_add(torch->reader, key->text, view.rank, view.shape, &values))
        return false;
    if (values == NULL || elements_of(&view) == 0)
        return true; /* without elements, its offset may be anything */
    if (storage->data == NULL && !unpack_storage(torch, storage))
        return false;
    view.data = storage->data + offset * element_size(storage->type);
    elements_copy(&view, values);
    return true;
}

static bool each_tensor(Torch *torch, const Value *dict,
                        bool (*visit)(Torch *, const Value *key, const Value *call))
{
    for (size_t i = 0; i < dict->count; i += 2)
        if (state_is_tensor(dict->items[i + 1]) &&
            !visit(torch, dict->items[i], dict->items[i + 1]))
            return false;
    return true;
}

static bool read_tensors(Torch *torch, Value *root)
{
    WeightsReader *reader = torch->reader;
    const Value *dict = state_find(reader->path, root, reader->key);
    if (dict == NULL)
        return false;
    if (reader->want == WANT_OUTLINE)
        reader->beside = state_beside(root, dict);
    return each_tensor(torch, dict, count_tensor) &&
           each_tensor(torch, dict, read_tensor);
}

/* The zip format: archive/data.pkl beside archive/data/0, archive/data/1, ... */

static bool check_byte_order(const Torch *torch)
{
    char *entry = rt_format("%.*sbyteorder", torch->folder_length, torch->folder);
    zip_int64_t index = zip_name_locate(torch->archive, entry, ZIP_FL_ENC_RAW);
    free(entry);
    if (index < 0) /* older than the entry, when only "little" existed */
        return true;
    size_t bytes;
    const char *path = torch->reader->path;
    uint8_t *order = zip_read_entry(path, torch->archive, (zip_uint64_t)index, &bytes);
    bool ok = order && ((bytes == 6 && memcmp(order, "little", 6) == 0) ||
                        rt_fail("%s: byte order is not little", path));
    free(order);
    return ok;
}

bool torch_read_zip(WeightsReader *reader, zip_t *archive, zip_uint64_t pickle_entry)
{
    Torch torch = {.reader = reader, .archive = archive};
    torch.folder = zip_get_name(archive, pickle_entry, ZIP_FL_ENC_RAW);
    torch.folder_length = (int)(strlen(torch.folder) - strlen("data.pkl"));
    size_t bytes;
    uint8_t *data = zip_read_entry(reader->path, archive, pickle_entry, &bytes);
    if (data == NULL)
        return false;
    Pickle pickle;
    bool ok = pickle_read(&pickle, reader->path, data, bytes) &&
              check_byte_order(&torch) && collect_storages(&torch, &pickle) &&
              read_tensors(&torch, pickle.value);
    torch_free(&torch);
    pickle_free(&pickle);
    free(data);
    return ok;
}

/* The legacy format: five pickles (a magic number, a version, facts on the machine that
 * wrote it, the object, the keys of the storages), then count and elements of each. */

static bool check_magic(const char *path, const Value *magic)
{
    return (magic->kind == VALUE_LONG && magic->count == 10 &&
            memcmp(magic->text, "\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19", 10) == 0) ||
           rt_fail("%s: a Python pickle that torch.save did not write", path);
}

static bool check_version(const char *path, const Value *version)
{
    return (version->kind == VALUE_INT && version->integer == 1001) ||
           rt_fail("%s: PyTorch format of an unknown version, want 1001", path);
}

static bool check_machine(const char *path, const Value *facts)
{
    const Value *little =
        facts->kind == VALUE_DICT ? value_get(facts, "little_endian") : NULL;
    return (little && little->kind == VALUE_BOOL && little->integer == 1) ||
           rt_fail("%s: byte order is not little", path);
}

static bool check_header(const WeightsReader *reader, size_t *at)
{
    static bool (*const checks[])(const char *path, const Value *value) = {
        check_magic, check_version, check_machine};
    for (int i = 0; i < 3; i++) {
        Pickle pickle;
        bool ok =
            pickle_read(&pickle, reader->path, reader->data + *at, reader->bytes - *at) &&
            checks[i](reader->path, pickle.value);
        *at += pickle.bytes;
        pickle_free(&pickle);
        if (!ok)
            return false;
    }
    return true;
}

static bool locate_storage(Torch *torch, const char *key, size_t *at)
{
    const WeightsReader *reader = torch->reader;
    Storage *storage = find_storage(torch, key);
    if (storage == NULL)
        return rt_fail("%s: storage %s is of unknown type", reader->path, key);
    if (!check_known(reader->path, storage)) /* it could not be stepped over */
        return false;
    size_t left = reader->bytes - *at, size = element_size(storage->type);
    uint64_t count = 0;
    for (int i = 0; i < 8 && left >= 8; i++)
        count |= (uint64_t)reader->data[*at + (size_t)i] << 8 * i;
    if (left < 8 || storage->count > (left - 8) / size)
        return rt_fail("%s: storage %s is cut short", reader->path, key);
    if (count != storage->count)
        return rt_fail("%s: storage %s has %llu elements, want %zu", reader->path, key,
                       (unsigned long long)count, storage->count);
    storage->data = reader->data + *at + 8;
    *at += 8 + storage->count * size;
    return true;
}

static bool locate_storages(Torch *torch, const Value *keys, size_t at)
{
    const char *path = torch->reader->path;
    if (keys->kind != VALUE_LIST)
        return rt_fail("%s: no list of storages behind the object", path);
    for (size_t i = 0; i < keys->count; i++) {
        const Value *key = keys->items[i];
        if (key->kind != VALUE_STRING || !weights_name_ok(key->text, key->count))
            return rt_fail("%s: a storage without a proper name", path);
        if (!locate_storage(torch, key->text, &at))
            return false;
    }
    return true;
}

bool torch_read_legacy(WeightsReader *reader)
{
    size_t at = 0;
    if (!check_header(reader, &at))
        return false;
    Torch torch = {.reader = reader};
    Pickle object, keys = {0};
    bool ok = pickle_read(&object, reader->path, reader->data + at, reader->bytes - at) &&
              collect_storages(&torch, &object);
    at += object.bytes;
    ok = ok && pickle_read(&keys, reader->path, reader->data + at, reader->bytes - at) &&
         locate_storages(&torch, keys.value, at + keys.bytes) &&
         read_tensors(&torch, object.value);
    torch_free(&torch);
    pickle_free(&object);
    pickle_free(&keys);
    return ok;
}
