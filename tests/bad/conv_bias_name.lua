-- want: tests/bad/conv_bias_name.lua:5: a_bias: a layer of that name was laid out in line 5 already
return {
    net = { layers = function()
        local x = image{ 8, 8, 3 }
        local y = relu{ conv{ x, name = "a", out = 4, kernel = 3, bias = true }, name = "a_bias" }
        return dense{ avgpool(y), name = "last", out = 2 }
    end },
}
