-- ResNet-20 on CIFAR-10 in float32 where time is short: 30 epochs of one-cycle with Nesterov
-- momentum, a little label smoothing and averaged weights.
local config = require "resnet20_fp_cifar10"

config.train = {
    epochs = 30,
    batch = 128,
    lr = 0.2,
    momentum = 0.9,
    nesterov = true,
    weight_decay = 5e-4,
    schedule = "one_cycle",
    peak = 0.2,
    lr_final = 0.001,
    label_smoothing = 0.05,
    ema = 0.998,
    flip = true,
    crop = 4,
    held_out = 1000,
    seed = 1,
}

return config
