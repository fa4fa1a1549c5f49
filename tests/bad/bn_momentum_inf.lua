-- want: tests/bad/bn_momentum_inf.lua:5: image_bn: momentum inf, want 0..1
return {
    net = { layers = function()
        local x = image{ 8, 8, 3 }
        local y = bn{ x, momentum = 1/0 }
        return dense{ avgpool(y), name = "last", out = 2 }
    end },
}
