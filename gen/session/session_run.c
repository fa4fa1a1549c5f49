/* What a session does with its network: evaluate, quantise, train. */
#include "gen/session/session.h"

#include "gen/base/paths.h"
#include "gen/config/config_weights.h"
#include "gen/emit/report.h"
#include "gen/ptq/start.h"
#include "gen/session/session_state.h"
#include "runtime/base/support.h"
#include "runtime/data/data.h"
#include "runtime/train/run_folder.h"
#include "runtime/train/train_state.h"

#include <stdlib.h>
#include <string.h>

/* ---- Images ---- */

static bool need_data(const Session *session)
{
    return session->data ||
           rt_fail("%s: no images yet; give the folder: net:use_data(\"DIR\")",
                   session->config.path);
}

/* Whether images are there, and were read as the config has it now. */
static bool fits(const ImageSet *set, const DataWant *read_for, const DataWant *want)
{
    return set->count > 0 && read_for->height == want->height &&
           read_for->width == want->width && read_for->channels == want->channels &&
           read_for->classes == want->classes && read_for->resize == want->resize &&
           read_for->test_share == want->test_share &&
           read_for->skip_broken == want->skip_broken;
}

static bool load_test(Session *session)
{
    const DataWant want = config_data(&session->config);
    ImageSet none = {0};
    if (!need_data(session))
        return false;
    if (fits(&session->test, &session->test_for, &want))
        return true;
    data_free(&session->test);
    session->test_for = want;
    return data_load(session->data, DATA_TEST, &want, &none, &session->test);
}

/* At least so many training images to calibrate with, or all there are; more may be there
 * from before, and begin with the same. */
static bool load_calibration(Session *session, int images)
{
    const DataWant want = config_data(&session->config);
    if (!need_data(session))
        return false;
    if (session->calibration_wanted >= images &&
        fits(&session->calibration, &session->calibration_for, &want))
        return true;
    data_free(&session->calibration);
    session->calibration_wanted = 0;
    if (!start_images(&session->config, session->data, 1, images, &session->calibration))
        return false;
    session->calibration_wanted = images;
    session->calibration_for = want;
    return true;
}

/* ---- Weights for the config ---- */

static bool need_weights(const Session *session)
{
    return session->state.base || rt_fail("%s: no weights yet; give a checkpoint, "
                                          "net:load_weights(\"FILE\"), or train "
                                          "the network",
                                          session->config.path);
}

/* Quantised by `options` from the base on the first `images` of the calibration images.
 */
static Stored *quantise(Session *session, int images, const PtqOptions *options,
                        const char *origin, PtqResult *result)
{
    const Stored *base = session->state.base;
    Checkpoint start = {0};
    ImageSet set = session->calibration;
    if (set.count > images)
        set.count = images;
    if (!start_make(&session->config, &base->arrays, base->origin, &set, options, &start,
                    result))
        return NULL;
    return stored_new(&start, origin, session->config.signature);
}

/* Ranges for the config as it is, unless the last ones found are. */
static const Stored *ranges(Session *session, int images)
{
    const DataWant want = config_data(&session->config);
    bool found = session->ranges && session->ranges_of == session->state.base &&
                 fits(&session->calibration, &session->calibration_for, &want) &&
                 session->ranges_images == images &&
                 strcmp(session->ranges->fits, session->config.signature) == 0;
    if (found)
        return session->ranges;
    const PtqOptions options = {.stop = session->stop};
    PtqResult result;
    if (!load_calibration(session, images))
        return NULL;
    Stored *made = quantise(session, images, &options, "ranges only", &result);
    if (made == NULL)
        return NULL;
    stored_free(session->ranges);
    stored_free(session->ranges_of);
    session->ranges = made;
    session->ranges_of = stored_share(session->state.base);
    session->ranges_images = images;
    return made;
}

const Stored *session_in_use(Session *session, int calibration)
{
    if (!need_weights(session) ||
        !checkpoint_match_arch(&session->state.base->arrays, session->state.base->origin,
                               session->config.arch))
        return NULL;
    const Stored *ready = session_ready(session);
    return ready ? ready : ranges(session, calibration);
}

/* ---- Code ---- */

static const Model *compile(Session *session, JitTier tier)
{
    jit_close(session->jit);
    free(session->compiled);
    session->compiled = NULL;
    session->jit = jit_open(&session->config, &session->options, tier);
    if (session->jit == NULL && tier == JIT_TCC) {
        fprintf(stderr, "note: %s; going on with the C compiler\n", rt_error());
        rt_error_clear();
        session->jit = jit_open(&session->config, &session->options, JIT_CC);
    }
    if (session->jit == NULL)
        return NULL;
    session->compiled = rt_format("%s", session->config.hash);
    return jit_model(session->jit);
}

/* The code there is, if it is the config's; training may have left some that a C compiler
 * made. */
static const Model *code_to_evaluate(Session *session)
{
    if (session->jit == NULL || strcmp(session->compiled, session->config.hash) != 0)
        return compile(session, JIT_TCC);
    jit_move(session->jit, false);
    return jit_model(session->jit);
}

/* ---- Evaluate ---- */

/* Memory for a pass: the last one's, if it is as large; a fresh arena takes longer to
 * come by than a thousand images. */
static void prepare_work(Session *session, const Model *model)
{
    size_t pixels =
        (size_t)model->height * (size_t)model->width * (size_t)model->channels;
    const size_t bytes[3] = {model->arena_bytes, (size_t)model->micro_batch * pixels,
                             (size_t)model->micro_batch * (size_t)model->classes};
    if (session->work.arena && memcmp(bytes, session->work_bytes, sizeof bytes) == 0)
        return;
    work_free(&session->work);
    work_alloc(&session->work, model);
    memcpy(session->work_bytes, bytes, sizeof bytes);
}

static bool count_right(Session *session, const Model *model, const Weights *weights,
                        int images, SessionScore *score)
{
    Score sum = {0};
    prepare_work(session, model);
    bool ok = evaluate(model, weights, &session->work, &session->test, images,
                       &(Evaluation){.stop = session->stop}, &sum);
    image_set_say_broken(&session->test);
    score->images = sum.images;
    score->correct = sum.correct;
    return ok || rt_fail("interrupted");
}

static bool check_images(const Session *session, long images)
{
    if (session->test.unlabelled)
        return rt_fail("%s: images without labels", session->data);
    return images <= session->test.count ||
           rt_fail("%s: %d test images, want %ld", session->data, session->test.count,
                   images);
}

bool session_evaluate(Session *session, long images, int calibration, SessionScore *score)
{
    double start = seconds_now();
    *score = (SessionScore){0};
    if (!load_test(session) || !check_images(session, images))
        return false;
    const Stored *stored = session_in_use(session, calibration);
    if (stored == NULL)
        return false;
    double calibrated = seconds_now();
    Weights weights;
    const Model *model = code_to_evaluate(session);
    if (model == NULL ||
        !config_weights(&session->config, &stored->arrays, stored->origin, &weights))
        return false;
    double compiled = seconds_now();
    bool ok = count_right(session, model, &weights,
                          images ? (int)images : session->test.count, score);
    score->bytes = report_bytes(&session->config, weights.params);
    score->calibrating = calibrated - start;
    score->compiling = compiled - calibrated;
    score->seconds = seconds_now() - start;
    snprintf(score->weights, sizeof score->weights, "%s", stored->origin);
    weights_free(&weights);
    return ok;
}

/* ---- Quantise ---- */

bool session_ptq(Session *session, int images, FILE *report, PtqResult *result)
{
    const PtqOptions options = {.equalise = true,
                                .round = true,
                                .correct = true,
                                .report = report,
                                .stop = session->stop};
    if (!quant_used(&session->config.net))
        return rt_fail("%s: nothing to quantise: the config has no quantiser",
                       session->config.path);
    if (!need_weights(session) || !load_calibration(session, images))
        return false;
    if (session->calibration.count < images)
        return rt_fail("%s: has %d training images, want %d to calibrate with",
                       session->data, session->calibration.count, images);
    Stored *made = quantise(session, images, &options, "ptq", result);
    if (made == NULL)
        return false;
    session_remember(session);
    stored_free(session->state.tuned);
    session->state.tuned = made;
    return true;
}

/* ---- Train ---- */

static bool move_jit(void *jit, bool wait)
{
    return jit_move(jit, wait);
}

/* A run's checkpoint reduced to weights for use. */
static bool for_use(const Config *config, const char *path, Checkpoint *arrays)
{
    Weights weights;
    if (!config_weights(config, arrays, path, &weights))
        return false;
    checkpoint_free(arrays);
    *arrays = config_checkpoint(config, &weights);
    weights_free(&weights);
    return true;
}

/* best.ckpt of a run that came to its end, otherwise what it had got to. */
static bool read_trained(const Config *config, const char *folder, Checkpoint *arrays)
{
    char *last = rt_format("%s/last.ckpt", folder),
         *best = rt_format("%s/best.ckpt", folder);
    TrainState state = {0};
    bool ok = checkpoint_read(last, arrays) && state_read(arrays, last, &state);
    if (ok && state.epoch >= state.epochs) {
        checkpoint_free(arrays);
        ok = checkpoint_read(best, arrays);
    }
    ok = ok && for_use(config, last, arrays);
    state_free(&state);
    free(last);
    free(best);
    return ok;
}

/* The weights to start from, in options->output; not where a network begins anew, in
 * floats. */
static bool write_start(Session *session, TrainerOptions *options, char **start)
{
    enum { IMAGES = 256 };
    if (session->state.base == NULL && !quant_used(&session->config.net))
        return true;
    if (session->state.base == NULL)
        return rt_fail(
            "%s: quantised training starts from a float network: want weights, "
            "net:load_weights(\"FILE\")",
            session->config.path);
    const Stored *stored = session_in_use(session, IMAGES);
    *start = rt_format("%s/start.ckpt", options->output);
    options->weights = *start;
    return stored && rt_make_directories(options->output) &&
           checkpoint_write(*start, &stored->arrays);
}

/* The code is compiled anew, so that the run can say when it went over to a C compiler's.
 */
static bool run_trainer(Session *session, TrainerOptions *options, int *status)
{
    Tiers tiers = {.move = move_jit, .at = -1};
    char *start = NULL;
    int lock = -1;
    bool ok = run_folder_take(options->output, &lock) &&
              run_folder_check(options->output, session->config.arch,
                               session->config.record, options) &&
              (options->resume || write_start(session, options, &start));
    const Model *model = ok ? compile(session, JIT_TIERED) : NULL;
    if (model) {
        tiers.context = session->jit;
        options->tiers = jit_has_memory(session->jit) ? &tiers : NULL;
        ok = train_run(model, jit_recipe(session->jit), options, status);
    }
    run_folder_leave(lock);
    free(start);
    return model && ok;
}

bool session_train(Session *session, const char *const *sets, int count,
                   TrainerOptions options, int *signal)
{
    int depth = session->depth;
    Checkpoint arrays = {0};
    bool ok = need_data(session) && data_has_labels(session->data);
    for (int i = 0; i < count && ok; i++)
        ok = session_set(session, sets[i], sets[i]);
    options.data = session->data;
    options.go_on = "net:train{ ... } goes on from its weights, "
                    "net:train{ resume = true } with the run";
    int status = 0;
    ok = ok && run_trainer(session, &options, &status) &&
         read_trained(&session->config, options.output, &arrays);
    char *signature = rt_format("%s", session->config.signature);
    *signal = status > 128 ? status - 128 : 0;
    if (session->depth > depth && !session_back(session, depth))
        ok = false;
    if (ok) {
        session_remember(session);
        stored_free(session->state.base);
        stored_free(session->state.tuned);
        session->state.tuned = NULL;
        session->state.base = stored_new(
            &arrays, "trained", quant_used(&session->config.net) ? signature : NULL);
    }
    checkpoint_free(&arrays);
    free(signature);
    return ok;
}
