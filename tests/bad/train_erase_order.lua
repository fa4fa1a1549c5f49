-- want: tests/bad/train_erase_order.lua: train.erase_least: 0.5, want at most erase_most, 0.33
return {
    net = { layers = function()
        return dense{ avgpool(image{ 4, 4, 3 }), name = "last", out = 2 }
    end },
    train = { erase = 0.5, erase_least = 0.5 },
}
