-- ResNet-20 on CIFAR-10 in float32: the classic recipe of 160 epochs, He et al. 2016.
local resnet = require "resnet"

return {
    net = resnet.cifar{ depth = 20, width = 16, classes = 10, image = 32, shortcut = "A",
        padding = "torch" },

    data = {
        mean = 127,
        std = 128,
        classes = { "airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse",
            "ship", "truck" },
    },

    train = {
        epochs = 160,
        batch = 128,
        lr = 0.1,
        momentum = 0.9,
        nesterov = false,
        weight_decay = 2e-4,
        schedule = "step",
        milestones = { 80, 120 },
        decay_factor = 0.1,
        warmup_epochs = 0,
        label_smoothing = 0,
        ema = 0,
        flip = true,
        crop = 4,
        cutout = 0,
        held_out = 0,
        seed = 1,
    },
}
