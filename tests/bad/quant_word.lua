-- want: tests/bad/quant_word.lua: quant.quantizer: want 'none', 'uniform_static', 'parametric_d' or 'parametric_d_xmax'
return {
    net = { layers = function()
        return dense{ avgpool(image{ 4, 4, 3 }), name = "last", out = 2 }
    end },
    quant = { quantizer = "uniform" },
}
