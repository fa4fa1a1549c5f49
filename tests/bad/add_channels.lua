-- want: tests/bad/add_channels.lua:5: image_add: inputs image 8 x 8 x 3 and a 8 x 8 x 4 differ in shape
return {
    net = { layers = function()
        local x = image{ 8, 8, 3 }
        local y = add(x, conv{ x, name = "a", out = 4, kernel = 3 })
        return dense{ avgpool(y), name = "last", out = 2 }
    end },
}
