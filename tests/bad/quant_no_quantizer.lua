-- want: tests/bad/quant_no_quantizer.lua: quant.quantizer is missing; see lathe show --fields
return {
    net = { layers = function()
        return dense{ avgpool(image{ 4, 4, 3 }), name = "last", out = 2 }
    end },
    quant = { w_bits = 4 },
}
