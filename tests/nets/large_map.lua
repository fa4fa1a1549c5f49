-- A large map under the average pool: integer scores beyond what floats tell apart, and, from
-- 96 pixels a side, beyond 32 bits.
local large_map = family{
    side = 32,
    layers = function(net)
        local x = image{ net.side, net.side, 3 }
        x = relu(bn{ conv{ x, name = "a", out = 32, kernel = 3 } })
        return dense{ avgpool(x), name = "classifier", out = 10 }
    end,
}

return {
    net = large_map{},
    quant = { quantizer = "uniform_static", w_bits = 8, a_bits = 8 },
    train = { batch = 16, lr = 0.05 },
}
