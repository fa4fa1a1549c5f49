-- want: tests/bad/train_border.lua: train.crop_border: want 'zero' or 'reflect'
return {
    net = { layers = function()
        return dense{ avgpool(image{ 4, 4, 3 }), name = "last", out = 2 }
    end },
    train = { crop_border = "mirror" },
}
