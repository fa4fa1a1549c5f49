-- ResNet-18 on 64 x 64 images of ten classes, in float32: what tiny_imagenet's folders have.
local resnet = require "resnet"

return {
    net = resnet.imagenet{ depth = 18, width = 64, classes = 10, image = 64, shortcut = "B",
        padding = "torch", zero_last_bn = true },

    data = {
        mean = 127,
        std = 64,
    },

    train = {
        epochs = 16,
        batch = 100,
        lr = 0.05,
        momentum = 0.9,
        nesterov = true,
        weight_decay = 1e-3,
        schedule = "cosine",
        warmup_epochs = 1,
        label_smoothing = 0.1,
        ema = 0.99,
        flip = true,
        crop = 8,
        seed = 1,
    },
}
