-- want: tests/bad/conv_init.lua:5: a: init 'xavier', want 'he', 'lecun' or 'zero'
return {
    net = { layers = function()
        local x = image{ 8, 8, 3 }
        local y = conv{ x, name = "a", out = 4, kernel = 3, init = "xavier" }
        return dense{ avgpool(y), name = "last", out = 2 }
    end },
}
