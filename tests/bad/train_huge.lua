-- want: tests/bad/train_huge.lua: train.batch: 1e+300, want a whole number from 1 to 65536
return {
    net = { layers = function()
        return dense{ avgpool(image{ 4, 4, 3 }), name = "last", out = 2 }
    end },
    train = { batch = 1e300 },
}
