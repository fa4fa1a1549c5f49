-- want: tests/bad/quant_layers_no_pattern.lua: quant.layers: want a list of { "pattern", field = value, ... }
return {
    net = { layers = function()
        return dense{ avgpool(image{ 4, 4, 3 }), name = "last", out = 2 }
    end },
    quant = { quantizer = "uniform_static", layers = { { w_bits = 4 } } },
}
