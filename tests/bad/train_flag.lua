-- want: tests/bad/train_flag.lua: train.nesterov: want true or false
return {
    net = { layers = function()
        return dense{ avgpool(image{ 4, 4, 3 }), name = "last", out = 2 }
    end },
    train = { nesterov = 1 },
}
