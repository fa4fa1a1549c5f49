-- ResNet-18 on ImageNet at learned bits, fine-tuned from the float network.
local config = require "resnet18_fp32"

config.quant = {
    quantizer = "parametric_d_xmax",
    w_bits = 4, -- where learning begins
    a_bits = 6,
    w_budget = 5401, -- KiB of weights
    a_budget = 381, -- KiB of the largest activation
    penalty = 0.005,
}

config.train = {
    epochs = 50,
    batch = 2048,
    micro_batch = 32,
    lr = 0.0016, -- 0.0002 * batch / 256
    momentum = 0.9,
    nesterov = true,
    weight_decay = 1e-4,
    schedule = "cosine",
    warmup_epochs = 5,
    flip = true,
    seed = 1,
}

return config
