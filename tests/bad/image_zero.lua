-- want: tests/bad/image_zero.lua:4: image: height: want 1..8192
return {
    net = { layers = function()
        local y = image{ 0, 8, 3 }
        return dense{ avgpool(y), name = "last", out = 2 }
    end },
}
