-- MLPerf Tiny's ResNet-8 on CIFAR-10 in float32, the zoo's: 60 epochs on all 50,000 images, the
-- zoo's ResNet-20 teaches.
local config = require "resnet8_fp_cifar10"

config.train = {
    epochs = 60,
    batch = 128,
    lr = 0.2,
    momentum = 0.9,
    nesterov = true,
    weight_decay = 5e-4,
    schedule = "one_cycle",
    peak = 0.2,
    lr_final = 0.0005,
    ema = 0.999,
    flip = true,
    crop = 4,
    crop_border = "reflect",
    seed = 1,
}

return config
