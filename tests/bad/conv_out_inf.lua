-- want: tests/bad/conv_out_inf.lua:5: a: out inf, want 1..65536
return {
    net = { layers = function()
        local x = image{ 8, 8, 3 }
        local y = conv{ x, name = "a", out = math.huge, kernel = 3 }
        return dense{ avgpool(y), name = "last", out = 2 }
    end },
}
