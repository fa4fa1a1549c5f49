-- want: tests/bad/name_digit.lua:5: name '1a': want at most 40 of a-z, 0-9 and _, beginning with a letter
return {
    net = { layers = function()
        local x = image{ 8, 8, 3 }
        local y = conv{ x, name = "1a", out = 4, kernel = 3 }
        return dense{ avgpool(y), name = "last", out = 2 }
    end },
}
