-- want: tests/bad/image_none.lua: net.layers: want it to return the last layer
return {
    net = { layers = function()
        return nil
    end },
}
