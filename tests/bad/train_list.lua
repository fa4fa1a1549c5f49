-- want: tests/bad/train_list.lua: train: want named fields, got a list
return {
    net = { layers = function()
        return dense{ avgpool(image{ 4, 4, 3 }), name = "last", out = 2 }
    end },
    train = { 1, 2 },
}
