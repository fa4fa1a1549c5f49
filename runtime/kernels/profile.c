/* The counters of a profile: see profile.h. Each worker has a table of its own, so that
 * nothing is shared while ops run. */
#include "runtime/kernels/profile.h"

#include "runtime/base/support.h"

#include <stdlib.h>
#include <string.h>
#if defined(__x86_64__)
#include <x86intrin.h>
#endif

typedef struct {
    uint64_t ticks, calls;
} Counter;

typedef struct {
    uint64_t ticks;
    long calls, images;
} Part;

static Counter *counters[RT_MAX_THREADS]; /* [ops] each; NULL: nothing is counted */
static Part parts[PARTS];
static uint64_t first_tick; /* at this time, to tell how long a tick is */
static double first_second;

uint64_t rt_profile_now(void)
{
#if defined(__x86_64__)
    return __rdtsc();
#else
    return (uint64_t)(seconds_now() * 1e9);
#endif
}

uint64_t rt_profile_lap(int worker, int op, uint64_t since)
{
    uint64_t now = rt_profile_now();
    if (counters[worker]) {
        counters[worker][op].ticks += now - since;
        counters[worker][op].calls++;
    }
    return now;
}

uint64_t profile_part(ProfilePart part, int images, uint64_t since)
{
    uint64_t now = rt_profile_now();
    parts[part].ticks += now - since;
    parts[part].calls++;
    parts[part].images += images;
    return now;
}

void profile_begin(const Model *model)
{
    profile_end();
    memset(parts, 0, sizeof parts);
    first_tick = rt_profile_now();
    first_second = seconds_now();
    if (model->profile == NULL)
        return;
    size_t bytes = (size_t)model->profile->count * sizeof(Counter);
    for (int i = 0; i < RT_MAX_THREADS; i++)
        counters[i] = rt_alloc_aligned((bytes + 63) / 64 * 64);
}

void profile_end(void)
{
    for (int i = 0; i < RT_MAX_THREADS; i++) {
        free(counters[i]);
        counters[i] = NULL;
    }
}

static double seconds_per_tick(void)
{
    uint64_t ticks = rt_profile_now() - first_tick;
    return (seconds_now() - first_second) / (double)(ticks ? ticks : 1);
}

bool profile_counts(void)
{
    return counters[0] != NULL;
}

ProfileTime profile_time(int op)
{
    double tick = seconds_per_tick();
    ProfileTime time = {0};
    for (int i = 0; i < RT_MAX_THREADS; i++) {
        time.seconds += (double)counters[i][op].ticks * tick;
        time.calls += (long)counters[i][op].calls;
    }
    return time;
}

ProfilePartTime profile_part_time(ProfilePart part)
{
    const Part *it = &parts[part];
    return (ProfilePartTime){(double)it->ticks * seconds_per_tick(), it->calls,
                             it->images};
}
