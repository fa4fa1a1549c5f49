-- want: tests/bad/conv_unknown.lua:5: conv: unknown field 'dilation'
return {
    net = { layers = function()
        local x = image{ 8, 8, 3 }
        local y = conv{ x, name = "a", out = 4, kernel = 3, dilation = 2 }
        return dense{ avgpool(y), name = "last", out = 2 }
    end },
}
