-- want: tests/bad/train_number.lua: train: want a table, got number
return {
    net = { layers = function()
        return dense{ avgpool(image{ 4, 4, 3 }), name = "last", out = 2 }
    end },
    train = 5,
}
