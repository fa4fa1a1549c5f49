-- want: tests/bad/conv_pad_pair.lua:5: a: pad: want a number, or { rows, columns } of 0..0, 0..2
return {
    net = { layers = function()
        local x = image{ 8, 8, 3 }
        local y = conv{ x, name = "a", out = 4, kernel = { 1, 3 }, pad = { 1, 1 } }
        return dense{ avgpool(y), name = "last", out = 2 }
    end },
}
