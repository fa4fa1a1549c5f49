-- Depthwise convolutions of many channels, some left of any vector; and a pointwise one
-- that reads them, a pixel out of reach of the next in the loads of boards.
local wide = family{
    width = 516,
    layers = function(net)
        local function unit(x, name, out, kernel, stride, groups)
            return relu(bn{ conv{ x, name = name, out = out, kernel = kernel,
                stride = stride, groups = groups } })
        end
        local x = unit(image{ 5, 4, 3 }, "stem", net.width, 1, 1, 1)
        x = unit(x, "deep", x.c, 3, 1, x.c)
        x = unit(x, "narrow", 8, 1, 1, 1)
        x = unit(x, "widen", net.width, 1, 1, 1)
        x = unit(x, "down", x.c, 3, 2, x.c)
        return dense{ avgpool(x), name = "last", out = 5 }
    end,
}

return {
    net = wide{},
    quant = { quantizer = "uniform_static", w_bits = 8, a_bits = 8, per_channel = true },
    train = { batch = 12, lr = 0.01 },
}
