-- want: tests/bad/name_capital.lua:5: name 'Stem': want at most 40 of a-z, 0-9 and _, beginning with a letter
return {
    net = { layers = function()
        local x = image{ 8, 8, 3 }
        local y = conv{ x, name = "Stem", out = 4, kernel = 3 }
        return dense{ avgpool(y), name = "last", out = 2 }
    end },
}
