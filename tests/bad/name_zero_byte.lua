-- want: tests/bad/name_zero_byte.lua:5: conv: name: has a zero byte in it
return {
    net = { layers = function()
        local x = image{ 8, 8, 3 }
        local y = conv{ x, name = "a\0b", out = 4, kernel = 3 }
        return dense{ avgpool(y), name = "last", out = 2 }
    end },
}
