-- ResNet-20 on CIFAR-10 at learned bits, 70.1 KiB of weights, the zoo's: 26 epochs from its float
-- network; a published ResNet-56 teaches.
local config = require "resnet20_mixed_cifar10"

config.quant.w_range = "mse"
config.quant.descent = 0.3

config.train = {
    epochs = 26,
    batch = 128,
    lr = 0.02,
    momentum = 0.9,
    nesterov = true,
    weight_decay = 1e-4,
    schedule = "cosine",
    warmup_epochs = 1,
    ema = 0.999,
    flip = true,
    crop = 4,
    crop_border = "reflect",
    bn_batches = 100,
    distill = 0.9,
    temperature = 4,
    seed = 1,
}

return config
