-- want: tests/bad/name_taken.lua:5: a: a layer of that name was laid out in line 5 already
return {
    net = { layers = function()
        local x = image{ 8, 8, 3 }
        local y = conv{ conv{ x, name = "a", out = 4, kernel = 3 }, name = "a", out = 4, kernel = 3 }
        return dense{ avgpool(y), name = "last", out = 2 }
    end },
}
