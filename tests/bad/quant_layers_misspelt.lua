-- want: tests/bad/quant_layers_misspelt.lua: unknown field quant.w_bit; did you mean quant.w_bits?
return {
    net = { layers = function()
        return dense{ avgpool(image{ 4, 4, 3 }), name = "last", out = 2 }
    end },
    quant = { quantizer = "uniform_static", layers = { { "last", w_bit = 4 } } },
}
