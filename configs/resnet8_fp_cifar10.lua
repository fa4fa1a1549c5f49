-- MLPerf Tiny's image classification, ResNet-8 on CIFAR-10, in float32: pixels as they are.
local resnet = require "resnet"
local config = require "resnet20_fp_cifar10"

config.net = resnet.cifar{ depth = 8, width = 16, shortcut = "B", padding = "same" }
config.data.mean = 0
config.data.std = 1

return config
