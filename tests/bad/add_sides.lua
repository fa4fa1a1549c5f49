-- want: tests/bad/add_sides.lua:5: image_add: inputs image 8 x 8 x 3 and a 4 x 4 x 3 differ in shape
return {
    net = { layers = function()
        local x = image{ 8, 8, 3 }
        local y = add(x, subsample{ x, stride = 2, name = "a" })
        return dense{ avgpool(y), name = "last", out = 2 }
    end },
}
