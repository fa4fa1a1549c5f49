-- ResNet-50 on ImageNet in float32, trained as ResNet-18 is.
local resnet = require "resnet"
local config = require "resnet18_fp32"

config.net = resnet.imagenet{ depth = 50 }

return config
