-- want: tests/bad/concat_one.lua:5: concat: input 2: want a layer, got nil
return {
    net = { layers = function()
        local x = image{ 8, 8, 3 }
        local y = concat(x)
        return dense{ avgpool(y), name = "last", out = 2 }
    end },
}
