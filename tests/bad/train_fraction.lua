-- want: tests/bad/train_fraction.lua: train.epochs: 1.5, want a whole number from 1 to 100000
return {
    net = { layers = function()
        return dense{ avgpool(image{ 4, 4, 3 }), name = "last", out = 2 }
    end },
    train = { epochs = 1.5 },
}
