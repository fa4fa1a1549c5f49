-- MobileNetV1 on CIFAR-10 at 8 bits, fine-tuned from the float network; depthwise weights have a
-- range for each channel, which differ widely.
local config = require "mobilenetv1_fp_cifar10"

config.quant = {
    quantizer = "uniform_static",
    w_bits = 8,
    a_bits = 8,
    per_channel = true,
}

config.train = {
    epochs = 20,
    batch = 128,
    micro_batch = 64,
    lr = 0.002,
    momentum = 0.9,
    weight_decay = 1e-4,
    schedule = "cosine",
    warmup_epochs = 1,
    flip = true,
    crop = 4,
    seed = 1,
}

return config
