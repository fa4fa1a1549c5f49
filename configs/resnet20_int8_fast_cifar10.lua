-- ResNet-20 on CIFAR-10 at 8 bits where time is short: 6 epochs from the float network.
local config = require "resnet20_int8_cifar10"

config.train = {
    epochs = 6,
    batch = 128,
    lr = 0.02,
    momentum = 0.9,
    nesterov = true,
    weight_decay = 5e-4,
    schedule = "cosine",
    ema = 0.999,
    flip = true,
    crop = 4,
    seed = 1,
}

return config
