-- MobileNetV2 on ImageNet at 8 bits, fine-tuned from the float network as MobileNetV1.
local mobilenet = require "mobilenet"
local config = require "mobilenetv1_int8"

config.net = mobilenet.v2{ multiplier = 1.0, classes = 1000, image = 224 }

return config
