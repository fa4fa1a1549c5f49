-- ResNet-50 on ImageNet at 4 bits, fine-tuned from the float network.
local resnet = require "resnet"
local config = require "resnet18_int4"

config.net = resnet.imagenet{ depth = 50 }

return config
