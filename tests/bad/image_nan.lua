-- want: tests/bad/image_nan.lua:4: image: width: want 1..8192
return {
    net = { layers = function()
        local y = image{ 8, 0 / 0, 3 }
        return dense{ avgpool(y), name = "last", out = 2 }
    end },
}
