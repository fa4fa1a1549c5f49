-- want: tests/bad/conv_out_zero.lua:5: a: out 0, want 1..65536
return {
    net = { layers = function()
        local x = image{ 8, 8, 3 }
        local y = conv{ x, name = "a", out = 0, kernel = 3 }
        return dense{ avgpool(y), name = "last", out = 2 }
    end },
}
