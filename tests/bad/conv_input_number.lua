-- want: tests/bad/conv_input_number.lua:5: a: input 1: want a layer, got number
return {
    net = { layers = function()
        local x = image{ 8, 8, 3 }
        local y = conv{ 5, name = "a", out = 4, kernel = 3 }
        return dense{ avgpool(y), name = "last", out = 2 }
    end },
}
