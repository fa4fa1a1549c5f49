-- ResNet-20 on CIFAR-10 at 4 bits where time is short: 15 epochs from the float network.
local config = require "resnet20_int4_cifar10"

config.train = {
    epochs = 15,
    batch = 128,
    lr = 0.01,
    momentum = 0.9,
    weight_decay = 2e-4,
    schedule = "cosine",
    warmup_epochs = 1,
    ema = 0.999,
    flip = true,
    crop = 4,
    seed = 1,
}

return config
