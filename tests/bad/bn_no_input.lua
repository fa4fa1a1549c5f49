-- want: tests/bad/bn_no_input.lua:5: bn: input 1: want a layer, got nil
return {
    net = { layers = function()
        local x = image{ 8, 8, 3 }
        local y = bn{}
        return dense{ avgpool(y), name = "last", out = 2 }
    end },
}
