-- want: tests/bad/bn_scale.lua:5: image_bn: scale 2, want 0..1
return {
    net = { layers = function()
        local x = image{ 8, 8, 3 }
        local y = bn{ x, scale = 2 }
        return dense{ avgpool(y), name = "last", out = 2 }
    end },
}
