-- ResNet-18 on ImageNet in float32: 100 epochs, batches of 2048 in passes of 32 images.
local resnet = require "resnet"

return {
    net = resnet.imagenet{ depth = 18, width = 64, classes = 1000, image = 224, shortcut = "B",
        padding = "torch", zero_last_bn = true },

    data = {
        mean = 127,
        std = 128,
    },

    train = {
        epochs = 100,
        batch = 2048,
        micro_batch = 32,
        lr = 0.8, -- 0.1 * batch / 256
        momentum = 0.9,
        nesterov = true,
        weight_decay = 1e-4,
        schedule = "cosine",
        warmup_epochs = 5,
        lr_final = 0,
        label_smoothing = 0.1,
        ema = 0,
        flip = true,
        crop = 0,
        cutout = 0,
        held_out = 0,
        seed = 1,
    },
}
