-- ResNet-20 on CIFAR-10 at 8 bits, the zoo's: 5 epochs from its float network, which teaches.
local config = require "resnet20_int8_cifar10"

config.train = {
    epochs = 5,
    batch = 128,
    lr = 0.01,
    momentum = 0.9,
    nesterov = true,
    weight_decay = 1e-4,
    schedule = "cosine",
    ema = 0.999,
    flip = true,
    crop = 4,
    crop_border = "reflect",
    seed = 1,
}

return config
