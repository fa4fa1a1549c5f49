-- want: tests/bad/quant_bits.lua: quant.w_bits: 9, want a whole number from 2 to 8, or 32
return {
    net = { layers = function()
        return dense{ avgpool(image{ 4, 4, 3 }), name = "last", out = 2 }
    end },
    quant = { quantizer = "uniform_static", w_bits = 9 },
}
