-- want: tests/bad/quant_layers_slow.lua: the config takes more than 5 seconds
local slow, overrides = ("[a]*"):rep(30), {}
for i = 1, 20000 do
    overrides[i] = { slow .. "2497_", w_bits = 3 }
end
return {
    net = { layers = function()
        local x = image{ 8, 8, 3 }
        for i = 1, 4900 do
            x = relu{ x, name = ("a"):rep(34) .. i .. "_" }
        end
        return dense{ avgpool{ x, name = "pool" }, name = "last", out = 2 }
    end },
    quant = { quantizer = "uniform_static", layers = overrides },
}
