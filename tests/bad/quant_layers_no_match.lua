-- want: tests/bad/quant_layers_no_match.lua: quant.layers: no layer matches 'lst'
return {
    net = { layers = function()
        return dense{ avgpool(image{ 4, 4, 3 }), name = "last", out = 2 }
    end },
    quant = { quantizer = "uniform_static", layers = { { "lst", w_bits = 4 } } },
}
