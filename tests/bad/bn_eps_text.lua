-- want: tests/bad/bn_eps_text.lua:5: image_bn: eps: want a number, got string
return {
    net = { layers = function()
        local x = image{ 8, 8, 3 }
        local y = bn{ x, eps = "1e-5" }
        return dense{ avgpool(y), name = "last", out = 2 }
    end },
}
