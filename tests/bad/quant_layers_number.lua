-- want: tests/bad/quant_layers_number.lua: quant.layers: want a list
return {
    net = { layers = function()
        return dense{ avgpool(image{ 4, 4, 3 }), name = "last", out = 2 }
    end },
    quant = { quantizer = "uniform_static", layers = 5 },
}
