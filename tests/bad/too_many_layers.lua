-- want: tests/bad/too_many_layers.lua:6: r5000: more than 5000 layers
return {
    net = { layers = function()
        local x = image{ 1, 1, 3 }
        for i = 1, 6000 do
            x = relu{ x, name = "r" .. i }
        end
        return dense{ x, name = "last", out = 2 }
    end },
}
