-- want: tests/bad/conv_no_input.lua:5: a: input 1: want a layer, got nil
return {
    net = { layers = function()
        local x = image{ 8, 8, 3 }
        local y = conv{ name = "a", out = 4, kernel = 3 }
        return dense{ avgpool(y), name = "last", out = 2 }
    end },
}
