-- want: tests/bad/train_misspelt.lua: unknown field train.epoch; did you mean train.epochs?
return {
    net = { layers = function()
        return dense{ avgpool(image{ 4, 4, 3 }), name = "last", out = 2 }
    end },
    train = { epoch = 3 },
}
