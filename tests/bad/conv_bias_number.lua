-- want: tests/bad/conv_bias_number.lua:5: a: bias: want true or false, got number
return {
    net = { layers = function()
        local x = image{ 8, 8, 3 }
        local y = conv{ x, name = "a", out = 4, kernel = 3, bias = 1 }
        return dense{ avgpool(y), name = "last", out = 2 }
    end },
}
