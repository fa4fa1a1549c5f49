-- want: tests/bad/conv_pad_range.lua:5: a: pad 3, want 0..2
return {
    net = { layers = function()
        local x = image{ 8, 8, 3 }
        local y = conv{ x, name = "a", out = 4, kernel = 3, pad = 3 }
        return dense{ avgpool(y), name = "last", out = 2 }
    end },
}
