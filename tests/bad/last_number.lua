-- want: tests/bad/last_number.lua: net.layers: want it to return the last layer
return {
    net = { layers = function()
        dense{ avgpool(image{ 8, 8, 3 }), name = "last", out = 2 }
        return 5
    end },
}
