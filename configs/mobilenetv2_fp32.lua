-- MobileNetV2 on ImageNet in float32, trained as MobileNetV1.
local mobilenet = require "mobilenet"
local config = require "mobilenetv1_fp32"

config.net = mobilenet.v2{ multiplier = 1.0, classes = 1000, image = 224 }

return config
