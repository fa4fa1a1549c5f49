-- want: tests/bad/train_inf.lua: train.lr: inf, want a number from 0 to 1000
return {
    net = { layers = function()
        return dense{ avgpool(image{ 4, 4, 3 }), name = "last", out = 2 }
    end },
    train = { lr = 1 / 0 },
}
