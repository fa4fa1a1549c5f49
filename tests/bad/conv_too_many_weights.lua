-- want: tests/bad/conv_too_many_weights.lua:5: b: 4294967296 weights, want at most 268435456
return {
    net = { layers = function()
        local x = image{ 8, 8, 3 }
        local y = conv{ conv{ x, name = "a", out = 65536, kernel = 1 }, name = "b", out = 65536, kernel = 1 }
        return dense{ avgpool(y), name = "last", out = 2 }
    end },
}
