-- want: tests/bad/dropout_rate_one.lua:5: image_dropout: rate 1, want 0.001..0.95
return {
    net = { layers = function()
        local x = image{ 8, 8, 3 }
        local y = dropout{ x, rate = 1 }
        return dense{ avgpool(y), name = "last", out = 2 }
    end },
}
