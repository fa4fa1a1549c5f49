-- MobileNetV1 on CIFAR-10 in float32: no stride in the stem and the first stages.
local mobilenet = require "mobilenet"

return {
    net = mobilenet.v1{ classes = 10, image = 32, stem_stride = 1, whole_stages = 2 },

    data = {
        mean = 127,
        std = 128,
        classes = { "airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse",
            "ship", "truck" },
    },

    train = {
        epochs = 60,
        batch = 128,
        micro_batch = 64,
        lr = 0.1,
        momentum = 0.9,
        nesterov = true,
        weight_decay = 1e-4,
        schedule = "cosine",
        warmup_epochs = 2,
        label_smoothing = 0.05,
        ema = 0.999,
        flip = true,
        crop = 4,
        seed = 1,
    },
}
