/* select, schedule, plan: what each must keep is worked out here by brute force, from the
 * ops alone; and the IR as text. */
#include "tests/suites.h"

#include "gen/base/paths.h"
#include "runtime/base/support.h"
#include "tests/tools/programs.h"
#include "tests/tools/sanitized.h"

#include <stdlib.h>
#include <string.h>

/* ---- select ---- */

static bool is_convolution(const Op *op)
{
    return op->kind == OP_CONV || op->kind == OP_CONV_BWD_INPUT ||
           op->kind == OP_CONV_BWD_WEIGHT;
}

static void check_tiles(const Net *net, int number)
{
    const Target *target = program_target(number);
    for (int i = 0; i < net->op_count; i++) {
        const Op *op = &net->ops[i];
        ck_assert_int_le(op->lanes, target->lanes);
        ck_assert_int_ne(op->lanes, 2); /* there is no such vector */
        if (!is_convolution(op))
            continue;
        if (program_lowering(number) != LOWER_WINOGRAD) /* not every op has it */
            ck_assert_int_eq(op->lowering, program_lowering(number));
        const Tensor *t = op->kind == OP_CONV_BWD_WEIGHT ? op_in(net, op, "dy")
                                                         : &net->tensors[op->out[0]];
        ck_assert_int_eq(t->c % (op->lanes * op->tile_vectors), 0);
        int used = op->tile_rows * op->tile_vectors + op->tile_vectors + 1;
        ck_assert_int_gt(op->tile_rows, 0);
        ck_assert_int_le(used, target->registers);
        if (op->kind != OP_CONV_BWD_WEIGHT || op->lowering == LOWER_WINOGRAD)
            continue;
        int run = op->kernel_w * op_in(net, op, "x")->c;
        ck_assert_int_eq(run % op->tile_rows, 0);
        ck_assert_int_eq(op->blocks * op->tile_rows, run * op->kernel_h);
        ck_assert(op->scope != SCOPE_TASKS ||
                  (op->tasks >= 1 && op->tasks <= op->blocks));
    }
}

/* Windows read from the halo what lies outside: it must reach as far. */
static void check_reads(const Tensor *t, int first_row, int last_row, int first, int last)
{
    ck_assert_msg(first_row >= -t->top && last_row < t->h + t->bottom,
                  "%s: rows %d to %d of %d", t->name, first_row, last_row, t->h);
    ck_assert_msg(first >= -t->left && last < t->w + t->right,
                  "%s: columns %d to %d of %d", t->name, first, last, t->w);
}

/* First and last output that the taps of all inputs along an axis would come from,
 * counting those outside. */
static void outputs_of_taps(int kernel, int stride, int pad, int size, int *first,
                            int *last)
{
    *first = *last = 0;
    for (int input = 0; input < size; input++) {
        for (int tap = 0; tap < kernel; tap++) {
            if ((input + pad - tap) % stride != 0)
                continue;
            int output = (input + pad - tap) / stride;
            *first = output < *first ? output : *first;
            *last = output > *last ? output : *last;
        }
    }
}

static void check_halos(const Net *net)
{
    for (int i = 0; i < net->op_count; i++) {
        const Op *op = &net->ops[i];
        if (op->kind == OP_CONV) {
            const Tensor *y = op_out(net, op, "y");
            check_reads(op_in(net, op, "x"), -op->pad_top,
                        (y->h - 1) * op->stride - op->pad_top + op->kernel_h - 1,
                        -op->pad_left,
                        (y->w - 1) * op->stride - op->pad_left + op->kernel_w - 1);
        } else if (op->kind == OP_CONV_BWD_INPUT) {
            const Tensor *dx = op_out(net, op, "dx");
            int top, bottom, left, right;
            outputs_of_taps(op->kernel_h, op->stride, op->pad_top, dx->h, &top, &bottom);
            outputs_of_taps(op->kernel_w, op->stride, op->pad_left, dx->w, &left, &right);
            check_reads(op_in(net, op, "dy"), top, bottom, left, right);
        }
    }
}

/* ---- schedule ---- */

static bool touches(const Op *op, int tensor)
{
    return op_reads(op, tensor) || op_writes(op, tensor);
}

/* Whether two ops use a tensor that one of them writes; *shared: one that is not each
 * image's own. */
static bool meet(const Net *net, const Op *a, const Op *b, bool *shared)
{
    bool any = false;
    *shared = false;
    for (int t = 0; t < net->tensor_count; t++) {
        if (!(op_writes(a, t) && touches(b, t)) && !(op_writes(b, t) && touches(a, t)))
            continue;
        Role role = net->tensors[t].role;
        any = true;
        *shared = *shared || (role != ROLE_DATA && role != ROLE_LOGITS);
    }
    return any;
}

/* What a loop goes by: one over chunks does what is once for each, then image by image. */
static Scope loop_of(const Op *op)
{
    return op->scope == SCOPE_CHUNK ? SCOPE_IMAGE : op->scope;
}

/* Segments hold ops of one loop that may run together: image by image, or at once. */
static void check_segments(const Net *net)
{
    for (int later = 0; later < net->op_count; later++) {
        for (int earlier = 0; earlier < later; earlier++) {
            const Op *a = &net->ops[earlier], *b = &net->ops[later];
            bool shared;
            ck_assert_int_le(a->segment, b->segment);
            if (a->segment != b->segment)
                continue;
            ck_assert_int_eq(loop_of(a), loop_of(b));
            ck_assert(a->scope != SCOPE_IMAGE || b->scope != SCOPE_CHUNK);
            bool related = meet(net, a, b, &shared);
            ck_assert_msg(a->scope != SCOPE_TASKS || !related, "%s and %s", a->name,
                          b->name);
            ck_assert_msg(a->scope != SCOPE_IMAGE || !shared, "%s and %s", a->name,
                          b->name);
        }
    }
}

/* Two ops of one scope, of which the second reads what the first writes, a tensor that is
 * not each image's own: no real net has them yet. */
START_TEST(sums_are_waited_for)
{
    static const OpKind kinds[] = {OP_CONV_FLIP, OP_BN_STATS};
    static const Role roles[] = {ROLE_ONCE, ROLE_PARTIAL};
    Net net = {0};
    int from = net_add_tensor(&net, ROLE_PARAM, "from", "");
    int sum = net_add_tensor(&net, roles[_i], "sum", "");
    int to = net_add_tensor(&net, roles[_i], "to", "");
    for (int i = 0; i < 2; i++) {
        int op = net_add_op(&net, kinds[_i], i ? "second" : "first", "none", 1);
        net.ops[op].in[0] = i ? sum : from;
        net.ops[op].out[0] = i ? to : sum;
    }
    pass_schedule(&net);
    ck_assert_str_eq(net.ops[0].name, "first");
    ck_assert_int_lt(net.ops[0].segment, net.ops[1].segment);
    net_free(&net);
}
END_TEST

static int position_of(const Net *net, const Op *op)
{
    int i = 0;
    while (net->ops[i].kind != op->kind || strcmp(net->ops[i].name, op->name) != 0)
        i++;
    return i;
}

/* Nothing is lost, and no op overtakes one it waits for. */
START_TEST(schedule_keeps_the_order_of_what_depends)
{
    const CompileOptions options = {.target = target_find("avx2")};
    Config config;
    program_config(_i, &config);
    Net before = net_copy(&config.net);
    pass_fuse(&before, false);
    pass_grad(&before);
    pass_select(&before, options.target, NULL);
    Net after = net_copy(&before);
    pass_schedule(&after);
    ck_assert_int_eq(after.op_count, before.op_count);
    for (int later = 0; later < before.op_count; later++) {
        for (int earlier = 0; earlier < later; earlier++) {
            const Op *a = &before.ops[earlier], *b = &before.ops[later];
            bool shared;
            if (meet(&before, a, b, &shared))
                ck_assert_int_lt(position_of(&after, a), position_of(&after, b));
        }
    }
    net_free(&before);
    net_free(&after);
    config_free(&config);
}
END_TEST

/* ---- plan ---- */

/* Where the copies of a tensor lie: the first, how far apart, how many. */
typedef struct {
    long offset, bytes, stride;
    int copies;
} Spot;

static Spot place_of(const Net *net, const Tensor *t)
{
    if (t->role == ROLE_PARTIAL)
        return (Spot){t->offset, t->bytes, (t->bytes + 63) / 64 * 64, RT_CHUNKS};
    if (t->role == ROLE_DATA && t->place == PLACE_WORKER)
        return (Spot){t->offset, t->bytes, net->worker_bytes, RT_CHUNKS};
    if (t->role == ROLE_DATA)
        return (Spot){t->offset, t->bytes, t->bytes, net->batch};
    return (Spot){t->offset, t->bytes, 0, 1};
}

static bool overlap(const Spot *a, const Spot *b)
{
    for (int i = 0; i < a->copies; i++) {
        for (int j = 0; j < b->copies; j++) {
            long x = a->offset + i * a->stride, y = b->offset + j * b->stride;
            if (x < y + b->bytes && y < x + a->bytes)
                return true;
        }
    }
    return false;
}

/* Segments from the first that touches a tensor to the last; NONE: nothing in the arena. */
typedef struct {
    int first, last;
} Life;

static Life life_of(const Net *net, int tensor)
{
    const Role role = net->tensors[tensor].role;
    Life life = {NONE, NONE};
    if (role != ROLE_DATA && role != ROLE_ONCE && role != ROLE_PARTIAL)
        return life;
    for (int i = 0; i < net->op_count; i++) {
        if (!touches(&net->ops[i], tensor))
            continue;
        life.first = life.first == NONE ? net->ops[i].segment : life.first;
        life.last = net->ops[i].segment;
    }
    return life;
}

static void check_inside(const Net *net, const Tensor *t, Life life)
{
    const Spot place = place_of(net, t);
    ck_assert_int_ge(t->bytes, tensor_padded_count(t) * 4);
    ck_assert_int_eq(t->offset % 64, 0);
    ck_assert_int_le(place.offset + (place.copies - 1) * place.stride + place.bytes,
                     net->arena_bytes);
    if (t->role == ROLE_DATA && t->place == PLACE_WORKER) {
        ck_assert_int_eq(life.first, life.last);
        ck_assert_int_le(t->offset + t->bytes, net->worker_bytes);
    }
}

/* Tensors alive in one segment lie apart, inside the arena; what is a worker's is made
 * and used up in one loop. */
static void check_places(const Net *net)
{
    Life *lives = rt_alloc(net->tensor_count * sizeof *lives);
    for (int a = 0; a < net->tensor_count; a++) {
        const Tensor *t = &net->tensors[a];
        lives[a] = life_of(net, a);
        if (lives[a].first == NONE)
            continue;
        check_inside(net, t, lives[a]);
        const Spot place = place_of(net, t);
        for (int b = 0; b < a; b++) {
            if (lives[b].first == NONE || lives[b].first > lives[a].last ||
                lives[a].first > lives[b].last)
                continue;
            const Spot other = place_of(net, &net->tensors[b]);
            ck_assert_msg(!overlap(&place, &other), "%s and %s", t->name,
                          net->tensors[b].name);
        }
    }
    free(lives);
}

/* ---- The IR as text ---- */

static char *dump(const Net *net)
{
    char *text = NULL;
    size_t bytes;
    FILE *file = open_memstream(&text, &bytes);
    net_dump(net, file);
    fclose(file);
    return text;
}

START_TEST(programs_are_sound)
{
    Net net, again;
    compile_program(SAMPLED(_i), &net);
    check_tiles(&net, SAMPLED(_i));
    check_halos(&net);
    check_segments(&net);
    check_places(&net);
    compile_program(SAMPLED(_i), &again);
    char *one = dump(&net), *other = dump(&again);
    ck_assert_str_eq(one, other); /* nothing hangs on addresses or chance */
    free(one);
    free(other);
    net_free(&net);
    net_free(&again);
}
END_TEST

/* The golden net: see tests/golden/tiny.lua. */
START_TEST(golden)
{
    const CompileOptions options = {.target = target_find("plain")};
    char *path = rt_format("%s/tests/golden/tiny.lua", lathe_root());
    char *expected = rt_format("%s/tests/golden/tiny.txt", lathe_root());
    Config config;
    Net net;
    ck_assert_msg(config_load(path, NULL, 0, &config), "%s", rt_error());
    compile_train(&config, &options, &net);
    char *text = dump(&net), *want = rt_read_file(expected, NULL);
    char *text_rest = text, *want_rest = want;
    while (text_rest || want_rest) /* line by line: the first that differs is shown */
        ck_assert_pstr_eq(strsep(&text_rest, "\n"), strsep(&want_rest, "\n"));
    free(text);
    free(want);
    free(path);
    free(expected);
    net_free(&net);
    config_free(&config);
}
END_TEST

/* What a microcontroller has to find room for: no more than two layers' codes of one
 * image and a block of unpacked weights. */
START_TEST(small_arenas)
{
    static const struct {
        const char *config;
        long most;
    } nets[] = {{"resnet20_int8_cifar10", 37056},
                {"resnet20_int4_cifar10", 40 << 10},
                {"resnet8_int8_cifar10", 45 << 10}};
    const CompileOptions options = {.target = target_find("plain")};
    char *path = rt_format("%s/configs/%s.lua", lathe_root(), nets[_i].config);
    Config config;
    Net net;
    ck_assert_msg(config_load(path, NULL, 0, &config), "%s", rt_error());
    ck_assert(compile_infer(&config, &options, &net));
    ck_assert_int_le(net.arena_bytes, nets[_i].most);
    net_free(&net);
    config_free(&config);
    free(path);
}
END_TEST

Suite *plan_suite(void)
{
    TCase *tests = tcase_create("plan");
    tcase_set_timeout(tests, 60);
    tcase_add_loop_test(tests, sums_are_waited_for, 0, 2);
    tcase_add_loop_test(tests, schedule_keeps_the_order_of_what_depends, 0, NETS);
    tcase_add_loop_test(tests, programs_are_sound, 0, SAMPLE(PROGRAMS));
    tcase_add_test(tests, golden);
    tcase_add_loop_test(tests, small_arenas, 0, 3);
    Suite *suite = suite_create("plan");
    suite_add_tcase(suite, tests);
    return suite;
}
