/* Images decoded ahead: see loader.h. Position p of the order is filled into slot p
 * modulo their number, once what was there before is taken. */
#include "runtime/data/loader.h"

#include "runtime/base/random.h"
#include "runtime/base/support.h"
#include "runtime/data/augment.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

enum { LEAST_AHEAD = 16, MOST_AHEAD = 32 << 20 /* bytes */ };

/* An image in the queue. */
typedef struct {
    bool ready, stand_in;
    int32_t label;
    PictureError *error; /* NULL: it is whole */
} Slot;

struct Loader {
    LoaderOptions how;
    const int *order;
    uint64_t key;
    size_t bytes; /* of an image */

    /* The queue; without threads there is none. */
    int threads, slots;
    pthread_t *ids;
    Slot *queue;     /* [slots] */
    uint8_t *pixels; /* [slots][bytes] */
    pthread_mutex_t lock;
    pthread_cond_t room, filled;
    int given, end; /* positions handed to threads, and where they end */
    int taken;      /* and taken out */
    int busy;       /* positions being filled */
    int awaited;    /* positions below this are waited for, and */
    int missing;    /* so many of them not ready */
    bool closing;
};

static int image_at(const Loader *loader, int position)
{
    return loader->order ? loader->order[position] : position;
}

/* Image of a position to `to`; the number of the one it is, -1 and a reason. */
static int fill(const Loader *loader, int position, uint8_t *to, PictureError *error)
{
    const LoaderOptions *how = &loader->how;
    int image = image_at(loader, position);
    if (how->recipe == NULL)
        return image_read(how->set, image, to, error);
    Image kept;
    int found = image_get(how->set, image, &kept, error);
    if (found >= 0) {
        augment(how->set, &kept, how->recipe, how->zero_pixel,
                random_bits(loader->key, (uint64_t)image), to);
        image_done(&kept);
    }
    return found;
}

/* ---- Threads ---- */

static void fill_slot(Loader *loader, int position)
{
    int index = position % loader->slots;
    Slot *slot = &loader->queue[index];
    PictureError error;
    int found =
        fill(loader, position, loader->pixels + (size_t)index * loader->bytes, &error);
    *slot = (Slot){.stand_in = found != image_at(loader, position)};
    if (found >= 0) {
        slot->label = loader->how.set->labels[found];
    } else {
        slot->error = rt_alloc(sizeof error);
        *slot->error = error;
    }
}

static void *decode(void *context)
{
    Loader *loader = context;
    pthread_mutex_lock(&loader->lock);
    while (!loader->closing) {
        if (loader->given == loader->end ||
            loader->given - loader->taken == loader->slots) {
            pthread_cond_wait(&loader->room, &loader->lock);
            continue;
        }
        int position = loader->given++;
        loader->busy++;
        pthread_mutex_unlock(&loader->lock);
        fill_slot(loader, position);
        pthread_mutex_lock(&loader->lock);
        loader->busy--;
        loader->queue[position % loader->slots].ready = true;
        if (position < loader->awaited)
            loader->missing--;
        bool drained = loader->given == loader->end && loader->busy == 0;
        if (loader->missing == 0 || drained)
            pthread_cond_signal(&loader->filled);
    }
    pthread_mutex_unlock(&loader->lock);
    return NULL;
}

/* Signals are for the thread that trains. */
static void begin_threads(Loader *loader)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    for (int i = 0; i < loader->threads; i++)
        if (pthread_create(&loader->ids[i], NULL, decode, loader) != 0) {
            fprintf(stderr, "no thread to decode pictures with\n");
            exit(1);
        }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

/* As many as are taken at once, and some ahead of them. */
static int count_slots(const Loader *loader)
{
    size_t ahead = MOST_AHEAD / loader->bytes, most = (size_t)loader->how.most;
    ahead = ahead > 2 * most ? 2 * most : ahead;
    return (int)(most + (ahead < LEAST_AHEAD ? LEAST_AHEAD : ahead));
}

Loader *loader_open(const LoaderOptions *options)
{
    Loader *loader = rt_alloc(sizeof *loader);
    *loader = (Loader){.how = *options, .bytes = image_set_bytes(options->set)};
    if (image_set_in_memory(options->set))
        return loader;
    loader->threads = options->decoders ? options->decoders : rt_threads();
    loader->slots = count_slots(loader);
    loader->ids = rt_alloc((size_t)loader->threads * sizeof *loader->ids);
    loader->queue = rt_alloc((size_t)loader->slots * sizeof *loader->queue);
    loader->pixels = rt_alloc((size_t)loader->slots * loader->bytes);
    pthread_mutex_init(&loader->lock, NULL);
    pthread_cond_init(&loader->room, NULL);
    pthread_cond_init(&loader->filled, NULL);
    begin_threads(loader);
    return loader;
}

void loader_close(Loader *loader)
{
    if (loader == NULL)
        return;
    if (loader->threads > 0) {
        pthread_mutex_lock(&loader->lock);
        loader->closing = true;
        pthread_cond_broadcast(&loader->room);
        pthread_mutex_unlock(&loader->lock);
        for (int i = 0; i < loader->threads; i++)
            pthread_join(loader->ids[i], NULL);
        for (int i = 0; i < loader->slots; i++)
            free(loader->queue[i].error);
        pthread_mutex_destroy(&loader->lock);
        pthread_cond_destroy(&loader->room);
        pthread_cond_destroy(&loader->filled);
    }
    free(loader->ids);
    free(loader->queue);
    free(loader->pixels);
    free(loader);
}

/* ---- The thread that trains ---- */

void loader_start(Loader *loader, const int *order, int first, int count, uint64_t key)
{
    if (loader->threads > 0) {
        pthread_mutex_lock(&loader->lock);
        loader->end = loader->given; /* what is under way ends */
        while (loader->busy > 0)
            pthread_cond_wait(&loader->filled, &loader->lock);
        for (int i = 0; i < loader->slots; i++) {
            free(loader->queue[i].error);
            loader->queue[i] = (Slot){0};
        }
    }
    loader->order = order;
    loader->key = key;
    loader->given = loader->taken = loader->awaited = first;
    loader->end = count;
    if (loader->threads > 0) {
        pthread_cond_broadcast(&loader->room);
        pthread_mutex_unlock(&loader->lock);
    }
}

/* Until all of them are there; false and rt_fail when one is broken. */
static bool wait_for(Loader *loader, int first, int count)
{
    pthread_mutex_lock(&loader->lock);
    loader->awaited = first + count;
    for (int i = first; i < first + count; i++)
        loader->missing += !loader->queue[i % loader->slots].ready;
    while (loader->missing > 0)
        pthread_cond_wait(&loader->filled, &loader->lock);
    pthread_mutex_unlock(&loader->lock);
    for (int i = first; i < first + count; i++) {
        const Slot *slot = &loader->queue[i % loader->slots];
        if (slot->error)
            return image_fail(loader->how.set, image_at(loader, i), slot->error);
    }
    return true;
}

/* Images in memory, by all threads that train. */
typedef struct {
    const Loader *loader;
    int first;
    uint8_t *images;
} Filling;

static void fill_one(void *context, int index, int worker)
{
    (void)worker;
    const Filling *filling = context;
    const Loader *loader = filling->loader;
    PictureError none;
    fill(loader, filling->first + index, filling->images + (size_t)index * loader->bytes,
         &none);
}

static void take_kept(const Loader *loader, int first, int count, uint8_t *images,
                      int32_t *labels, bool *stand_ins)
{
    Filling filling = {loader, first, images};
    rt_parallel_for(count, fill_one, &filling);
    for (int i = 0; i < count; i++) {
        labels[i] = loader->how.set->labels[image_at(loader, first + i)];
        if (stand_ins)
            stand_ins[i] = false;
    }
}

bool loader_take(Loader *loader, int first, int count, uint8_t *images, int32_t *labels,
                 bool *stand_ins)
{
    if (loader->threads == 0) {
        take_kept(loader, first, count, images, labels, stand_ins);
        return true;
    }
    if (!wait_for(loader, first, count))
        return false;
    for (int i = 0; i < count; i++) {
        int index = (first + i) % loader->slots;
        const Slot *slot = &loader->queue[index];
        memcpy(images + (size_t)i * loader->bytes,
               loader->pixels + (size_t)index * loader->bytes, loader->bytes);
        labels[i] = slot->label;
        if (stand_ins)
            stand_ins[i] = slot->stand_in;
    }
    pthread_mutex_lock(&loader->lock);
    for (int i = 0; i < count; i++)
        loader->queue[(first + i) % loader->slots].ready = false;
    loader->taken += count;
    pthread_cond_broadcast(&loader->room);
    pthread_mutex_unlock(&loader->lock);
    return true;
}
