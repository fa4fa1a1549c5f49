-- want: tests/bad/quant_layers_many.lua: quant.layers: 60000 overrides, want at most 20764 of a net of 1204 layers
local overrides = {}
for i = 1, 60000 do
    overrides[i] = { "*", w_bits = 3 }
end
return {
    net = { layers = function()
        local x = relu(image{ 8, 8, 3 })
        for i = 1, 400 do
            x = relu(bn{ conv{ x, name = "c" .. i, out = 4, kernel = 3 } })
        end
        return dense{ avgpool(x), name = "last", out = 2 }
    end },
    quant = { quantizer = "uniform_static", layers = overrides },
}
