-- want: tests/bad/conv_called_with_number.lua:5: conv: want conv{ x, ... } with fields, got number
return {
    net = { layers = function()
        local x = image{ 8, 8, 3 }
        local y = conv(4)
        return dense{ avgpool(y), name = "last", out = 2 }
    end },
}
