-- want: tests/bad/conv_too_many_values.lua:5: a: output has over 268435456 values
return {
    net = { layers = function()
        local x = image{ 8192, 8192, 3 }
        local y = conv{ x, name = "a", out = 5, kernel = 1 }
        return dense{ avgpool(y), name = "last", out = 2 }
    end },
}
