-- ResNet-20 on the sample in tests/sample, for `make demo`: 20 epochs of 4000 images.
local resnet = require "resnet"

return {
    net = resnet.cifar{ depth = 20, width = 16, classes = 10 },

    data = {
        classes = { "airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse",
            "ship", "truck" },
    },

    train = {
        epochs = 20,
        batch = 64,
        lr = 0.1,
        momentum = 0.9,
        nesterov = true,
        weight_decay = 5e-4,
        schedule = "one_cycle",
        peak = 0.3,
        lr_final = 0.001,
        label_smoothing = 0.05,
        ema = 0.98,
        flip = true,
        crop = 4,
    },
}
