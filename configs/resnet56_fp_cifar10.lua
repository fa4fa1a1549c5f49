-- ResNet-56 on CIFAR-10 in float32, as akamaster/pytorch_resnet_cifar10 trained it and
-- normalised its images: what `lathe import` makes of its weights teaches smaller networks.
local resnet = require "resnet"
local config = require "resnet20_fp_cifar10"

config.net = resnet.cifar{ depth = 56, width = 16, classes = 10, image = 32, shortcut = "A",
    padding = "torch" }
config.data.mean = { 123.675, 116.28, 103.53 }
config.data.std = { 58.395, 57.12, 57.375 }

return config
