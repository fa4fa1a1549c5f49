-- want: tests/bad/conv_groups.lua:5: a: groups 3: want a divisor of the input's channels, 3, and of out, 4
return {
    net = { layers = function()
        local x = image{ 8, 8, 3 }
        local y = conv{ x, name = "a", out = 4, kernel = 3, groups = 3 }
        return dense{ avgpool(y), name = "last", out = 2 }
    end },
}
