-- ResNet-18 on 64 x 64 images at 4 bits, fine-tuned from the float network.
local config = require "resnet18_tiny"

config.quant = {
    quantizer = "uniform_static",
    w_bits = 4,
    a_bits = 4,
    w_range = "mse",
}

config.train.epochs = 4
config.train.lr = 0.01
config.train.warmup_epochs = 1

return config
