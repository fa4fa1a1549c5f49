-- want: tests/bad/image_twice.lua:5: again: a network begins with one image{ h, w, c }
return {
    net = { layers = function()
        local x = image{ 8, 8, 3 }
        local z = image{ 8, 8, 3, name = "again" }
        return dense{ avgpool(x), name = "last", out = 2 }
    end },
}
