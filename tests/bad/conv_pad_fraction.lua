-- want: tests/bad/conv_pad_fraction.lua:5: a: pad 0.5, want 0..2
return {
    net = { layers = function()
        local x = image{ 8, 8, 3 }
        local y = conv{ x, name = "a", out = 4, kernel = 3, pad = 0.5 }
        return dense{ avgpool(y), name = "last", out = 2 }
    end },
}
