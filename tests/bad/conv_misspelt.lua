-- want: tests/bad/conv_misspelt.lua:5: conv: unknown field 'kernal'; did you mean 'kernel'?
return {
    net = { layers = function()
        local x = image{ 8, 8, 3 }
        local y = conv{ x, name = "a", out = 4, kernal = 3 }
        return dense{ avgpool(y), name = "last", out = 2 }
    end },
}
