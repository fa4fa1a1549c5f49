-- MobileNetV2 on CIFAR-10 at 8 bits, fine-tuned from the float network as MobileNetV1.
local mobilenet = require "mobilenet"
local config = require "mobilenetv1_int8_cifar10"

config.net = mobilenet.v2{ classes = 10, image = 32, stem_stride = 1, whole_stages = 2 }

return config
