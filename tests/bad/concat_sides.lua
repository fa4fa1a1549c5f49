-- want: tests/bad/concat_sides.lua:5: image_concat: inputs image 8 x 8 x 3 and image_maxpool 4 x 4 x 3 differ in rows or columns
return {
    net = { layers = function()
        local x = image{ 8, 8, 3 }
        local y = concat(x, maxpool{ x, kernel = 2 })
        return dense{ avgpool(y), name = "last", out = 2 }
    end },
}
