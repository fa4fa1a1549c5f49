-- want: tests/bad/name_number.lua:5: conv: name: want a string, got number
return {
    net = { layers = function()
        local x = image{ 8, 8, 3 }
        local y = conv{ x, name = 5, out = 4, kernel = 3 }
        return dense{ avgpool(y), name = "last", out = 2 }
    end },
}
