-- want: tests/bad/bn_eps_of_net.lua:5: net.bn_eps 2, want 1e-10..1
return {
    net = { bn_eps = 2, layers = function()
        local x = image{ 8, 8, 3 }
        local y = bn{ x }
        return dense{ avgpool(y), name = "last", out = 2 }
    end },
}
