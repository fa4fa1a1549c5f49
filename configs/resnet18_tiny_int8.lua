-- ResNet-18 on 64 x 64 images at 8 bits, fine-tuned from the float network.
local config = require "resnet18_tiny"

config.quant = {
    quantizer = "uniform_static",
    w_bits = 8,
    a_bits = 8,
}

config.train.epochs = 2
config.train.lr = 0.002
config.train.warmup_epochs = 1

return config
