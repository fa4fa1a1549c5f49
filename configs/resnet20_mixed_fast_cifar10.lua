-- ResNet-20 on CIFAR-10 at learned bits where time is short: 30 epochs from the float network.
local config = require "resnet20_mixed_cifar10"

config.quant.w_range = "mse"
config.quant.descent = 0.3

config.train = {
    epochs = 30,
    batch = 128,
    lr = 0.02,
    momentum = 0.9,
    nesterov = true,
    weight_decay = 1e-4,
    schedule = "cosine",
    ema = 0.999,
    flip = true,
    crop = 4,
    seed = 1,
}

return config
