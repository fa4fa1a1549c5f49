-- ResNet-20 on CIFAR-10 in float32, the zoo's: on all 50,000 images, for the quantised rows to
-- start from.
local config = require "resnet20_fp_cifar10"

config.train = {
    epochs = 80,
    batch = 128,
    lr = 0.2,
    momentum = 0.9,
    nesterov = true,
    weight_decay = 5e-4,
    schedule = "one_cycle",
    peak = 0.2,
    lr_final = 0.0005,
    label_smoothing = 0.05,
    ema = 0.999,
    flip = true,
    crop = 4,
    crop_border = "reflect",
    seed = 1,
}

return config
