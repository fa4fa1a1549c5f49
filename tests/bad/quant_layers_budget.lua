-- want: tests/bad/quant_layers_budget.lua: quant.layers: w_budget is the whole net's, not a layer's
return {
    net = { layers = function()
        return dense{ avgpool(image{ 8, 8, 3 }), name = "last", out = 2 }
    end },
    quant = { quantizer = "uniform_static", layers = { { "last", w_budget = 20 } } },
}
