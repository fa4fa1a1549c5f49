-- ResNet-34 on ImageNet at 8 bits, fine-tuned from the float network.
local resnet = require "resnet"
local config = require "resnet18_int8"

config.net = resnet.imagenet{ depth = 34 }

return config
