-- want: tests/bad/train_unknown.lua: unknown field train.zzz
return {
    net = { layers = function()
        return dense{ avgpool(image{ 4, 4, 3 }), name = "last", out = 2 }
    end },
    train = { zzz = 3 },
}
