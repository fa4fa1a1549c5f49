-- MobileNetV1 on ImageNet in float32: 150 epochs, batches of 256 in passes of 32 images.
local mobilenet = require "mobilenet"

return {
    net = mobilenet.v1{ multiplier = 1.0, classes = 1000, image = 224 },

    data = {
        mean = { 123.675, 116.28, 103.53 },
        std = { 58.395, 57.12, 57.375 },
        resize = 256,
    },

    train = {
        epochs = 150,
        batch = 256,
        micro_batch = 32,
        lr = 0.05,
        momentum = 0.9,
        weight_decay = 4e-5,
        schedule = "cosine",
        warmup_epochs = 5,
        label_smoothing = 0.1,
        area = 0.08,
        flip = true,
        seed = 1,
    },
}
