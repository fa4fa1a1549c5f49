-- want: tests/bad/conv_two_inputs.lua:5: conv: more than 1 value without a name
return {
    net = { layers = function()
        local x = image{ 8, 8, 3 }
        local y = conv{ x, x, name = "a", out = 4, kernel = 3 }
        return dense{ avgpool(y), name = "last", out = 2 }
    end },
}
