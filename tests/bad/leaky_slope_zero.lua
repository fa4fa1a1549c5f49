-- want: tests/bad/leaky_slope_zero.lua:5: image_leaky_relu: slope 0, want 0.0001..1
return {
    net = { layers = function()
        local x = image{ 8, 8, 3 }
        local y = leaky_relu{ x, slope = 0 }
        return dense{ avgpool(y), name = "last", out = 2 }
    end },
}
