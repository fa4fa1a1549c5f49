-- want: tests/bad/train_ema.lua: train.ema: 1, want a number from 0 to 0.999999
return {
    net = { layers = function()
        return dense{ avgpool(image{ 4, 4, 3 }), name = "last", out = 2 }
    end },
    train = { ema = 1 },
}
