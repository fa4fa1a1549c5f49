-- want: tests/bad/quant_layers_pattern.lua: quant.layers: a pattern of 1000 letters, want at most 256
return {
    net = { layers = function()
        return dense{ avgpool(image{ 8, 8, 3 }), name = "last", out = 2 }
    end },
    quant = { quantizer = "uniform_static", layers = { { ("*l"):rep(500), w_bits = 3 } } },
}
