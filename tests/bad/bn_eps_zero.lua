-- want: tests/bad/bn_eps_zero.lua:5: image_bn: eps 0, want 1e-10..1
return {
    net = { layers = function()
        local x = image{ 8, 8, 3 }
        local y = bn{ x, eps = 0 }
        return dense{ avgpool(y), name = "last", out = 2 }
    end },
}
