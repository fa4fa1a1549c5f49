-- ResNet-20 on CIFAR-10 at learned bits, fine-tuned from the float network.
local config = require "resnet20_fp_cifar10"

config.quant = {
    quantizer = "parametric_d_xmax",
    w_bits = 4, -- where learning begins
    a_bits = 6,
    w_budget = 70.1, -- KiB of weights
    a_budget = 8.1, -- KiB of the largest activation
    penalty = 0.1,
}

config.train = {
    epochs = 160,
    batch = 128,
    lr = 0.001,
    momentum = 0.9,
    weight_decay = 2e-4,
    schedule = "cosine",
    warmup_epochs = 5,
    flip = true,
    crop = 4,
    seed = 1,
}

return config
