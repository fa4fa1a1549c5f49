/* The counters of a profile: see profile.h. Each worker has a table of its own, so that
 * nothing is shared while ops run. */
#include "runtime/kernels/profile.h"

#include "runtime/base/support.h"
#include "runtime/train/profile_report.h"
#include "runtime/train/progress.h"

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

static ProfileTime time_of(int op, double tick)
{
    ProfileTime time = {0};
    for (int i = 0; i < RT_MAX_THREADS; i++) {
        time.seconds += (double)counters[i][op].ticks * tick;
        time.calls += (long)counters[i][op].calls;
    }
    return time;
}

bool profile_of(const Model *model, ProfileProgram program, Profile *profile,
                ProfileTime *times)
{
    bool trains = program == PROFILE_TRAINING;
    const Part *network = &parts[trains ? PART_TRAIN : PART_EVALUATE];
    if (model->profile == NULL || counters[0] == NULL || network->images == 0)
        return false;
    int first = trains ? 0 : model->profile->train_count;
    double tick = seconds_per_tick();
    *profile = (Profile){
        .title = trains ? "training" : "evaluation",
        .pass = trains ? "step" : "call",
        .ops = model->profile->ops + first,
        .times = times,
        .count = (trains ? model->profile->train_count : model->profile->count) - first,
        .threads = rt_threads(),
        .passes = trains ? parts[PART_OPTIMISER].calls : network->calls,
        .calls = network->calls,
        .images = network->images,
        .network = (double)network->ticks * tick,
        .outside = {{trains ? "augmentation" : "scoring",
                     (double)parts[trains ? PART_AUGMENT : PART_SCORE].ticks * tick},
                    {"optimiser", (double)parts[PART_OPTIMISER].ticks * tick}},
        .outside_count = trains ? 2 : 1,
    };
    for (int i = 0; i < profile->count; i++)
        times[i] = time_of(first + i, tick);
    return true;
}

void profile_print_all(FILE *file, const Model *model)
{
    if (model->profile == NULL)
        return;
    ProfileTime *times = rt_alloc((size_t)model->profile->count * sizeof *times);
    fputc('\n', file);
    const Peak peak = profile_print_peak(file, rt_threads());
    Profile profile;
    for (int program = PROFILE_TRAINING; program <= PROFILE_EVALUATION; program++) {
        if (!profile_of(model, program, &profile, times))
            continue;
        profile.peak = peak;
        profile_print(file, &profile);
    }
    free(times);
}
