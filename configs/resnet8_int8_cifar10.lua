-- MLPerf Tiny's ResNet-8 on CIFAR-10 at 8 bits, fine-tuned from the float network.
local float = require "resnet8_fp_cifar10"
local config = require "resnet20_int8_cifar10"

config.net = float.net
config.data = float.data

return config
