-- ResNet-20 on CIFAR-10 at 4 bits, fine-tuned from the float network.
local config = require "resnet20_fp_cifar10"

config.quant = {
    quantizer = "uniform_static",
    w_bits = 4,
    a_bits = 4,
    w_range = "mse",
}

config.train = {
    epochs = 160,
    batch = 128,
    lr = 0.002,
    momentum = 0.9,
    weight_decay = 2e-4,
    schedule = "cosine",
    warmup_epochs = 20,
    flip = true,
    crop = 4,
    seed = 1,
}

return config
