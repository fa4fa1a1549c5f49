-- want: tests/bad/conv_pad_table.lua:5: a: pad: want 'torch', 'same' or a number of pixels
return {
    net = { layers = function()
        local x = image{ 8, 8, 3 }
        local y = conv{ x, name = "a", out = 4, kernel = 3, pad = true }
        return dense{ avgpool(y), name = "last", out = 2 }
    end },
}
