-- want: tests/bad/dropout_rate_text.lua:5: image_dropout: rate: want a number, got string
return {
    net = { layers = function()
        local x = image{ 8, 8, 3 }
        local y = dropout{ x, rate = "half" }
        return dense{ avgpool(y), name = "last", out = 2 }
    end },
}
