-- want: tests/bad/quant_misspelt.lua: unknown field quant.wbits; did you mean quant.w_bits?
return {
    net = { layers = function()
        return dense{ avgpool(image{ 4, 4, 3 }), name = "last", out = 2 }
    end },
    quant = { quantizer = "uniform_static", wbits = 8 },
}
