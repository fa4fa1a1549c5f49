-- ResNet-18 on 64 x 64 images at learned bits, fine-tuned from the float network.
local config = require "resnet18_tiny"

config.quant = {
    quantizer = "parametric_d_xmax",
    w_bits = 4, -- where learning begins
    a_bits = 6,
    w_range = "mse",
    w_budget = 5401, -- KiB of weights
    a_budget = 31.1, -- KiB of the largest activation
    penalty = 0.005,
    descent = 0.3,
}

config.train.epochs = 8
config.train.lr = 0.01
config.train.warmup_epochs = 1
config.train.bn_batches = 50

return config
