-- want: tests/bad/leaky_slope_flag.lua:5: image_leaky_relu: slope: want a number, got boolean
return {
    net = { layers = function()
        local x = image{ 8, 8, 3 }
        local y = leaky_relu{ x, slope = true }
        return dense{ avgpool(y), name = "last", out = 2 }
    end },
}
