-- want: tests/bad/bn_momentum_of_net.lua:5: net.bn_momentum -0.1, want 0..1
return {
    net = { bn_momentum = -0.1, layers = function()
        local x = image{ 8, 8, 3 }
        local y = bn{ x }
        return dense{ avgpool(y), name = "last", out = 2 }
    end },
}
