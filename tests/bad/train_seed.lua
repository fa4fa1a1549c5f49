-- want: tests/bad/train_seed.lua: train.seed: -1, want a whole number from 0 to 2147483647
return {
    net = { layers = function()
        return dense{ avgpool(image{ 4, 4, 3 }), name = "last", out = 2 }
    end },
    train = { seed = -1 },
}
