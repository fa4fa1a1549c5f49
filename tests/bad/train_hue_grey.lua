-- want: tests/bad/train_hue_grey.lua: train.hue: want images of 3 channels, these have 1
return {
    net = { layers = function()
        return dense{ avgpool(image{ 4, 4, 1 }), name = "last", out = 2 }
    end },
    train = { hue = 0.1 },
}
