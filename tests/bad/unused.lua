-- want: tests/bad/unused.lua:5: idle: nothing uses this layer
return {
    net = { layers = function()
        local x = image{ 8, 8, 3 }
        relu{ x, name = "idle" }
        return dense{ avgpool(x), name = "last", out = 2 }
    end },
}
