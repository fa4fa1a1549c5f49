/* The networks of this project by oneDNN, each convolution as its library does it best:
 *   onednn train BATCH        a step of ResNet-20, milliseconds
 *   onednn infer 20|18 f32|s8 one image of ResNet-20 or 18, milliseconds
 * prints the median of as many runs as fit into SECONDS_EACH (3). Activations are blocked
 * by as many channels as its kernels want, 16 for AVX-512 and 8 for AVX2; batch
 * normalisation is fused with ReLU in training and is part of the weights else; weights are
 * random. As oneDNN 2 has it: 3 has no scale_shift. */
#include <dnnl.hpp>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <memory>
#include <random>
#include <string>
#include <unordered_map>
#include <vector>

using dnnl::algorithm;
using dnnl::memory;
using dnnl::prop_kind;
using Arguments = std::unordered_map<int, memory>;
using Tag = memory::format_tag;
using Type = memory::data_type;

static dnnl::engine engine(dnnl::engine::kind::cpu, 0);
static dnnl::stream stream(engine);
static std::mt19937 random_bits(1);

/* Of other blocks its kernels are the reference's, a hundred times slower. */
static const int lanes =
    dnnl::get_effective_cpu_isa() >= dnnl::cpu_isa::avx512_core ? 16 : 8;
static const Tag blocked = lanes == 16 ? Tag::nChw16c : Tag::nChw8c;

static float *floats(const memory &m)
{
    return static_cast<float *>(m.get_data_handle());
}

static size_t count(const memory &m)
{
    return m.get_desc().get_size() / sizeof(float);
}

/* Of small numbers: what they are makes no difference, but that they are no NaNs. */
static memory make(const memory::desc &desc, float deviation = 0)
{
    memory m(desc, engine);
    memset(m.get_data_handle(), 0, desc.get_size());
    if (desc.data_type() == Type::f32 && deviation > 0) {
        std::normal_distribution<float> normal(0, deviation);
        for (size_t i = 0; i < count(m); i++)
            floats(m)[i] = normal(random_bits);
    } else if (deviation > 0) {
        auto bytes = static_cast<uint8_t *>(m.get_data_handle());
        for (size_t i = 0; i < desc.get_size(); i++)
            bytes[i] = random_bits() & 31;
    }
    return m;
}

static void run(const dnnl::primitive &primitive, const Arguments &arguments)
{
    primitive.execute(stream, arguments);
    stream.wait();
}

static void copy(const memory &from, const memory &to)
{
    run(dnnl::reorder(from, to), {{DNNL_ARG_FROM, from}, {DNNL_ARG_TO, to}});
}

/* Milliseconds of the middle one. */
static double median(double seconds, const std::function<void()> &what)
{
    using Clock = std::chrono::steady_clock;
    std::vector<double> times;
    for (int i = 0; i < 3; i++)
        what();
    auto start = Clock::now();
    std::chrono::duration<double> all{};
    while (times.size() < 5 || all.count() < seconds) {
        auto from = Clock::now();
        what();
        auto to = Clock::now();
        times.push_back(std::chrono::duration<double>(to - from).count() * 1e3);
        all = to - start;
    }
    std::sort(times.begin(), times.end());
    return times[times.size() / 2];
}

/* ---- Training ---- */

static const float rate = 0.05f, momentum = 0.9f, decay = 1e-4f;

struct Tensor {
    int n, c, h;
    memory value, gradient;

    Tensor(int n, int c, int h) : n(n), c(c), h(h)
    {
        memory::desc desc({n, c, h, h}, Type::f32, c % lanes ? Tag::nchw : blocked);
        value = make(desc);
        gradient = make(desc);
    }
};

static void descend(const memory &w, const memory &gradient, const memory &speed)
{
    float *at = floats(w), *g = floats(gradient), *v = floats(speed);
    for (size_t i = 0; i < count(w); i++) {
        v[i] = momentum * v[i] + g[i] + decay * at[i];
        at[i] -= rate * v[i];
    }
}

struct Conv {
    const Tensor &x, &y;
    dnnl::convolution_forward forward_;
    dnnl::convolution_backward_data by_input_;
    dnnl::convolution_backward_weights by_weights_;
    memory w, gradient, speed;        /* as the forward pass has them */
    memory input_w, weights_gradient; /* as the other two want them */

    Conv(const Tensor &x, const Tensor &y, int stride) : x(x), y(y)
    {
        memory::desc any({y.c, x.c, 3, 3}, Type::f32, Tag::any);
        auto xd = x.value.get_desc(), yd = y.value.get_desc();
        int right = (y.h - 1) * stride + 3 - x.h - 1;
        memory::dims step{stride, stride}, left{1, 1}, rest{right, right};
        dnnl::convolution_forward::primitive_desc f({prop_kind::forward_training,
                                                     algorithm::convolution_auto, xd, any,
                                                     yd, step, left, rest},
                                                    engine);
        dnnl::convolution_backward_weights::primitive_desc bw(
            {algorithm::convolution_auto, xd, any, yd, step, left, rest}, engine, f);
        forward_ = dnnl::convolution_forward(f);
        by_weights_ = dnnl::convolution_backward_weights(bw);
        w = make(f.weights_desc(), std::sqrt(2.f / (9 * x.c)));
        gradient = make(f.weights_desc());
        speed = make(f.weights_desc());
        weights_gradient = make(bw.diff_weights_desc());
        if (x.c == 3)
            return;
        dnnl::convolution_backward_data::primitive_desc bd(
            {algorithm::convolution_direct, xd, any, yd, step, left, rest}, engine, f);
        by_input_ = dnnl::convolution_backward_data(bd);
        input_w = make(bd.weights_desc());
    }

    void forward()
    {
        run(forward_,
            {{DNNL_ARG_SRC, x.value}, {DNNL_ARG_WEIGHTS, w}, {DNNL_ARG_DST, y.value}});
    }

    void by_weights()
    {
        run(by_weights_, {{DNNL_ARG_SRC, x.value},
                          {DNNL_ARG_DIFF_DST, y.gradient},
                          {DNNL_ARG_DIFF_WEIGHTS, weights_gradient}});
    }

    void by_input(const memory &gradient)
    {
        bool same = input_w.get_desc() == w.get_desc();
        if (!same)
            copy(w, input_w);
        run(by_input_, {{DNNL_ARG_DIFF_DST, y.gradient},
                        {DNNL_ARG_WEIGHTS, same ? w : input_w},
                        {DNNL_ARG_DIFF_SRC, gradient}});
    }

    void update()
    {
        bool same = weights_gradient.get_desc() == w.get_desc();
        if (!same)
            copy(weights_gradient, gradient);
        descend(w, same ? weights_gradient : gradient, speed);
    }
};

struct Norm {
    const Tensor &x, &y;
    bool relu;
    dnnl::batch_normalization_forward forward_;
    dnnl::batch_normalization_backward backward_;
    memory mean, variance, scale, gradient, speed, mask;

    Norm(const Tensor &x, const Tensor &y, bool relu) : x(x), y(y), relu(relu)
    {
        auto flags = dnnl::normalization_flags::use_scale_shift;
        if (relu)
            flags |= dnnl::normalization_flags::fuse_norm_relu;
        auto desc = x.value.get_desc();
        dnnl::batch_normalization_forward::primitive_desc f(
            {prop_kind::forward_training, desc, 1e-5f, flags}, engine);
        dnnl::batch_normalization_backward::primitive_desc b(
            {prop_kind::backward, desc, desc, 1e-5f, flags}, engine, f);
        forward_ = dnnl::batch_normalization_forward(f);
        backward_ = dnnl::batch_normalization_backward(b);
        mean = make(f.mean_desc());
        variance = make(f.variance_desc());
        scale = make(f.weights_desc());
        std::fill_n(floats(scale), x.c, 1.f); /* and shifts of 0 */
        gradient = make(f.weights_desc());
        speed = make(f.weights_desc());
        mask = make(f.workspace_desc());
    }

    Arguments arguments()
    {
        Arguments all{{DNNL_ARG_SRC, x.value},
                      {DNNL_ARG_MEAN, mean},
                      {DNNL_ARG_VARIANCE, variance},
                      {DNNL_ARG_SCALE_SHIFT, scale}};
        if (relu)
            all[DNNL_ARG_WORKSPACE] = mask;
        return all;
    }

    void forward()
    {
        Arguments all = arguments();
        all[DNNL_ARG_DST] = y.value;
        run(forward_, all);
    }

    void backward()
    {
        Arguments all = arguments();
        all[DNNL_ARG_DIFF_DST] = y.gradient;
        all[DNNL_ARG_DIFF_SRC] = x.gradient;
        all[DNNL_ARG_DIFF_SCALE_SHIFT] = gradient;
        run(backward_, all);
    }

    void update()
    {
        descend(scale, gradient, speed);
    }
};

/* What a shortcut without weights adds: calls f(i, j) with places of a number in the
 * block's output and of its summand, where there is one: every second pixel, the channels
 * in the middle. */
template <class F> static void shortcut(const Tensor &x, const Tensor &y, F f)
{
    int stride = x.h / y.h, before = (y.c - x.c) / 2;
#pragma omp parallel for collapse(2)
    for (int n = 0; n < y.n; n++)
        for (int block = 0; block < y.c / lanes; block++)
            for (int row = 0; row < y.h; row++)
                for (int p = 0; p < y.h; p++)
                    for (int k = 0; k < lanes; k++) {
                        int c = block * lanes + k - before;
                        if (c < 0 || c >= x.c)
                            continue;
                        size_t from = (size_t)n * (x.c / lanes) + c / lanes;
                        size_t to = (size_t)n * (y.c / lanes) + block;
                        f(((to * y.h + row) * y.h + p) * lanes + k,
                          ((from * x.h + row * stride) * x.h + p * stride) * lanes +
                              c % lanes);
                    }
}

/* y = ReLU(bn(conv(ReLU(bn(conv(x))))) + shortcut(x)) */
struct Block {
    const Tensor &x;
    Tensor a, b, c, y;
    Conv conv1, conv2;
    Norm bn1, bn2;

    Block(const Tensor &x, int channels, int stride)
        : x(x), a(x.n, channels, x.h / stride), b(a.n, a.c, a.h), c(a.n, a.c, a.h),
          y(a.n, a.c, a.h), conv1(x, a, stride), conv2(b, c, 1), bn1(a, b, true),
          bn2(c, y, false)
    {
    }

    void forward()
    {
        conv1.forward();
        bn1.forward();
        conv2.forward();
        bn2.forward();
        float *to = floats(y.value), *from = floats(x.value);
        size_t all = count(y.value);
        if (x.c == y.c) {
#pragma omp parallel for simd
            for (size_t i = 0; i < all; i++)
                to[i] = std::max(to[i] + from[i], 0.f);
            return;
        }
        shortcut(x, y, [=](size_t i, size_t j) { to[i] += from[j]; });
#pragma omp parallel for simd
        for (size_t i = 0; i < all; i++)
            to[i] = std::max(to[i], 0.f);
    }

    void backward()
    {
        float *value = floats(y.value), *gradient = floats(y.gradient);
        float *to = floats(x.gradient);
        size_t all = count(y.value);
#pragma omp parallel for simd
        for (size_t i = 0; i < all; i++)
            gradient[i] = value[i] > 0 ? gradient[i] : 0;
        bn2.backward();
        conv2.by_weights();
        conv2.by_input(b.gradient);
        bn1.backward();
        conv1.by_weights();
        conv1.by_input(x.gradient);
        if (x.c == y.c) {
#pragma omp parallel for simd
            for (size_t i = 0; i < all; i++)
                to[i] += gradient[i];
        } else {
            shortcut(x, y, [=](size_t i, size_t j) { to[j] += gradient[i]; });
        }
    }

    void update()
    {
        conv1.update();
        conv2.update();
        bn1.update();
        bn2.update();
    }
};

/* Pool, classifier and loss: 1/700 of the multiplications, in loops. */
struct Head {
    enum { CLASSES = 10 };
    const Tensor &x;
    std::vector<float> w, speed;

    explicit Head(const Tensor &x) : x(x), w(CLASSES * x.c), speed(CLASSES * x.c)
    {
        std::normal_distribution<float> normal(0, 0.1f);
        for (float &value : w)
            value = normal(random_bits);
    }

    /* Of one image, whose label is its number; adds to the gradient of w. */
    void image(int n, std::vector<float> &by_w)
    {
        std::vector<float> pooled(x.c), scores(CLASSES);
        int pixels = x.h * x.h;
        size_t first = (size_t)n * x.c * pixels;
        auto place = [&](int c, int p) {
            return first + (c / lanes * pixels + p) * lanes + c % lanes;
        };
        for (int c = 0; c < x.c; c++)
            for (int p = 0; p < pixels; p++)
                pooled[c] += floats(x.value)[place(c, p)] / pixels;
        float sum = 0;
        for (int k = 0; k < CLASSES; k++) {
            for (int c = 0; c < x.c; c++)
                scores[k] += w[k * x.c + c] * pooled[c];
            sum += scores[k] = std::exp(std::min(scores[k], 30.f));
        }
        for (int c = 0; c < x.c; c++) {
            float gradient = 0;
            for (int k = 0; k < CLASSES; k++) {
                float error = (scores[k] / sum - (k == n % CLASSES)) / x.n;
                gradient += error * w[k * x.c + c] / pixels;
                by_w[k * x.c + c] += error * pooled[c];
            }
            for (int p = 0; p < pixels; p++)
                floats(x.gradient)[place(c, p)] = gradient;
        }
    }

    void step()
    {
        std::vector<float> by_w(w.size());
#pragma omp parallel
        {
            std::vector<float> own(w.size());
#pragma omp for
            for (int n = 0; n < x.n; n++)
                image(n, own);
#pragma omp critical
            for (size_t i = 0; i < own.size(); i++)
                by_w[i] += own[i];
        }
        for (size_t i = 0; i < w.size(); i++) {
            speed[i] = momentum * speed[i] + by_w[i] + decay * w[i];
            w[i] -= rate * speed[i];
        }
    }
};

static double train(int batch, double seconds)
{
    Tensor image(batch, 3, 32), a(batch, 16, 32), b(batch, 16, 32);
    image.value = make(image.value.get_desc(), 1);
    Conv stem(image, a, 1);
    Norm bn(a, b, true);
    std::vector<std::unique_ptr<Block>> blocks;
    for (int i = 0; i < 9; i++)
        blocks.emplace_back(
            new Block(i ? blocks.back()->y : b, 16 << i / 3, i == 3 || i == 6 ? 2 : 1));
    Head head(blocks.back()->y);
    return median(seconds, [&] {
        stem.forward();
        bn.forward();
        for (auto &block : blocks)
            block->forward();
        head.step();
        for (size_t i = blocks.size(); i-- > 0;)
            blocks[i]->backward();
        bn.backward();
        stem.by_weights();
        stem.update();
        bn.update();
        for (auto &block : blocks)
            block->update();
    });
}

/* ---- Inference ---- */

/* What runs, one after the other. */
struct Chain {
    bool codes; /* int8 */
    std::vector<std::pair<dnnl::primitive, Arguments>> steps;

    struct Data {
        int c, h;
        memory m;
    };

    void add(const dnnl::primitive &primitive, const Arguments &arguments)
    {
        steps.emplace_back(primitive, arguments);
    }

    Type type()
    {
        return codes ? Type::u8 : Type::f32;
    }

    memory in_form(const memory &m, const memory::desc &desc)
    {
        if (m.get_desc() == desc)
            return m;
        memory to = make(desc);
        add(dnnl::reorder(m, to), {{DNNL_ARG_FROM, m}, {DNNL_ARG_TO, to}});
        return to;
    }

    /* ReLU(conv(x) [+ sum]), over the sum's memory. */
    Data conv(const Data &x, int channels, int kernel, int stride, bool relu,
              const Data *sum = nullptr)
    {
        int pad = kernel / 2, h = (x.h + 2 * pad - kernel) / stride + 1;
        int right = (h - 1) * stride + kernel - x.h - pad;
        auto tag = codes ? Tag::any : blocked;
        memory::desc xd =
            x.c == 3 ? x.m.get_desc() : memory::desc({1, x.c, x.h, x.h}, type(), tag);
        memory::desc wd({channels, x.c, kernel, kernel}, codes ? Type::s8 : Type::f32,
                        Tag::any);
        memory::desc bd({channels}, codes ? Type::s32 : Type::f32, Tag::x);
        memory::desc yd =
            sum ? sum->m.get_desc() : memory::desc({1, channels, h, h}, type(), tag);
        dnnl::primitive_attr attributes;
        dnnl::post_ops after;
        if (sum)
            after.append_sum(1.f);
        if (relu)
            after.append_eltwise(1.f, algorithm::eltwise_relu, 0.f, 0.f);
        attributes.set_post_ops(after);
        if (codes)
            attributes.set_output_scales(2, std::vector<float>(channels, 0.003f));
        auto how = codes ? algorithm::convolution_direct : algorithm::convolution_auto;
        dnnl::convolution_forward::primitive_desc desc(
            {prop_kind::forward_inference, how, xd, wd, bd, yd,
             memory::dims{stride, stride}, memory::dims{pad, pad},
             memory::dims{right, right}},
            attributes, engine);
        memory from = in_form(x.m, desc.src_desc());
        memory to = sum ? sum->m : make(desc.dst_desc());
        add(dnnl::convolution_forward(desc),
            {{DNNL_ARG_SRC, from},
             {DNNL_ARG_WEIGHTS, make(desc.weights_desc(), 0.05f)},
             {DNNL_ARG_BIAS, make(bd)},
             {DNNL_ARG_DST, to}});
        return {channels, h, to};
    }

    Data pool(const Data &x, int kernel, int stride, int pad, algorithm how)
    {
        int h = (x.h + 2 * pad - kernel) / stride + 1;
        int right = (h - 1) * stride + kernel - x.h - pad;
        dnnl::pooling_forward::primitive_desc desc(
            {prop_kind::forward_inference, how, x.m.get_desc(),
             memory::desc({1, x.c, h, h}, type(), Tag::any), memory::dims{stride, stride},
             memory::dims{kernel, kernel}, memory::dims{pad, pad},
             memory::dims{right, right}},
            engine);
        memory to = make(desc.dst_desc());
        add(dnnl::pooling_forward(desc), {{DNNL_ARG_SRC, x.m}, {DNNL_ARG_DST, to}});
        return {x.c, h, to};
    }

    void dense(const Data &x, int classes)
    {
        memory::desc bd({classes}, Type::f32, Tag::x);
        dnnl::inner_product_forward::primitive_desc desc(
            {prop_kind::forward_inference, memory::desc({1, x.c, 1, 1}, type(), Tag::any),
             memory::desc({classes, x.c, 1, 1}, codes ? Type::s8 : Type::f32, Tag::any),
             bd, memory::desc({1, classes}, Type::f32, Tag::nc)},
            engine);
        add(dnnl::inner_product_forward(desc),
            {{DNNL_ARG_SRC, in_form(x.m, desc.src_desc())},
             {DNNL_ARG_WEIGHTS, make(desc.weights_desc(), 0.05f)},
             {DNNL_ARG_BIAS, make(bd)},
             {DNNL_ARG_DST, make(desc.dst_desc())}});
    }

    /* Every second pixel, fewer channels, into zeroed memory of y's form. */
    Data subsample(const Data &x, const Data &y)
    {
        Data to{y.c, y.h, make(y.m.get_desc())};
        auto from = x.m.get_desc();
        for (int i = 2; i < 4; i++) {
            from.data.dims[i] = from.data.padded_dims[i] = y.h;
            from.data.format_desc.blocking.strides[i] *= 2;
        }
        memory part(from, engine, x.m.get_data_handle());
        auto place = to.m.get_desc().submemory_desc({1, x.c, y.h, y.h}, {0, 0, 0, 0});
        memory into(place, engine, to.m.get_data_handle());
        add(dnnl::reorder(part, into), {{DNNL_ARG_FROM, part}, {DNNL_ARG_TO, into}});
        return to;
    }

    void run()
    {
        for (auto &step : steps)
            step.first.execute(stream, step.second);
        stream.wait();
    }
};

static double infer(int depth, bool codes, double seconds)
{
    bool small = depth == 20;
    int side = small ? 32 : 224, width = small ? 16 : 64;
    Chain chain{codes, {}};
    memory::desc pixels({1, 3, side, side}, chain.type(), codes ? Tag::nhwc : Tag::nchw);
    Chain::Data x{3, side, make(pixels, 1)};
    x = small ? chain.conv(x, width, 3, 1, true) : chain.conv(x, width, 7, 2, true);
    if (!small)
        x = chain.pool(x, 3, 2, 1, algorithm::pooling_max);
    for (int stage = 0; stage < (small ? 3 : 4); stage++)
        for (int block = 0; block < (small ? 3 : 2); block++) {
            int stride = stage && !block ? 2 : 1;
            Chain::Data a = chain.conv(x, width << stage, 3, stride, true), sum = x;
            if (stride == 2)
                sum = small ? chain.subsample(x, a)
                            : chain.conv(x, width << stage, 1, 2, false);
            x = chain.conv(a, width << stage, 3, 1, true, &sum);
        }
    x = chain.pool(x, x.h, 1, 0, algorithm::pooling_avg);
    chain.dense(x, small ? 10 : 1000);
    return median(seconds, [&] { chain.run(); });
}

int main(int argc, char **argv)
{
    const char *seconds = getenv("SECONDS_EACH");
    double each = seconds ? atof(seconds) : 3;
    std::string what = argc > 1 ? argv[1] : "";
    if (what == "train" && argc == 3)
        printf("%.4f\n", train(atoi(argv[2]), each));
    else if (what == "infer" && argc == 4)
        printf("%.4f\n", infer(atoi(argv[2]), std::string(argv[3]) == "s8", each));
    else
        return fprintf(stderr, "usage: onednn train BATCH | infer 20|18 f32|s8\n"), 1;
}
