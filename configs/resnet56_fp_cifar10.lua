-- ResNet-56 on CIFAR-10 in float32, as akamaster/pytorch_resnet_cifar10 trained it and
-- normalised its images: what `lathe import` makes of its weights teaches smaller networks.
local resnet = require "resnet"

return {
    net = resnet.cifar{ depth = 56, width = 16, classes = 10, image = 32, shortcut = "A",
        padding = "torch" },

    data = {
        mean = { 123.675, 116.28, 103.53 },
        std = { 58.395, 57.12, 57.375 },
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
