-- want: tests/bad/relu_slope.lua:5: relu: unknown field 'slope'
return {
    net = { layers = function()
        local x = image{ 8, 8, 3 }
        local y = relu{ x, slope = 0.1 }
        return dense{ avgpool(y), name = "last", out = 2 }
    end },
}
