-- ResNet-18 on ImageNet at 8 bits, fine-tuned from the float network.
local config = require "resnet18_fp32"

config.quant = {
    quantizer = "uniform_static",
    w_bits = 8,
    a_bits = 8,
}

config.train = {
    epochs = 50,
    batch = 2048,
    micro_batch = 32,
    lr = 0.008, -- 0.001 * batch / 256
    momentum = 0.9,
    nesterov = true,
    weight_decay = 1e-4,
    schedule = "cosine",
    warmup_epochs = 5,
    flip = true,
    seed = 1,
}

return config
