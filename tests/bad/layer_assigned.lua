-- want: tests/bad/layer_assigned.lua:5: attempt to index a lathe.tensor value (local 'x')
return {
    net = { layers = function()
        local x = image{ 8, 8, 3 }
        local y = x; x.h = 3
        return dense{ avgpool(y), name = "last", out = 2 }
    end },
}
