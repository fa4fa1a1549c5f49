-- MobileNetV1 on ImageNet at 8 bits, fine-tuned from the float network.
local config = require "mobilenetv1_fp32"

config.quant = {
    quantizer = "uniform_static",
    w_bits = 8,
    a_bits = 8,
    per_channel = true,
}

config.train = {
    epochs = 20,
    batch = 256,
    micro_batch = 32,
    lr = 0.002,
    momentum = 0.9,
    weight_decay = 4e-5,
    schedule = "cosine",
    warmup_epochs = 1,
    area = 0.25,
    flip = true,
    seed = 1,
}

return config
