-- want: tests/bad/dense_bias.lua:5: dense: unknown field 'bias'
return {
    net = { layers = function()
        local x = image{ 8, 8, 3 }
        local y = dense{ avgpool{ x, name = "p" }, name = "a", out = 4, bias = true }
        return dense{ avgpool(y), name = "last", out = 2 }
    end },
}
