-- Concatenations and pools with windows, as DenseNet and SqueezeNet have them: of streams that
-- each layer normalises anew, of codes of different steps, nested, with the same layer twice, read
-- by one layer in codes and by another as they are.
local joins = family{
    growth = 4,
    leaky = false, -- all activations are
    layers = function(net)
        local function active(x, name)
            x = bn{ x, name = name .. "_bn" }
            if net.leaky then return leaky_relu{ x, name = name .. "_relu", slope = 0.25 } end
            return relu{ x, name = name .. "_relu" }
        end
        local function grow(x, name)
            return conv{ active(x, name), name = name, out = net.growth, kernel = 3 }
        end
        local function fire(x, name, out)
            local y = active(conv{ x, name = name .. "_squeeze", out = 6, kernel = 1 }, name .. "_s")
            local one = active(conv{ y, name = name .. "_one", out = out, kernel = 1 }, name .. "_1")
            local three = conv{ y, name = name .. "_three", out = out + 1, kernel = 3 }
            return concat{ one, active(three, name .. "_3"), name = name }
        end
        local x = conv{ image{ 11, 10, 3 }, name = "stem", out = 8, kernel = 3 }
        x = concat{ grow(x, "d1"), x, name = "d1_all" }
        x = concat{ grow(x, "d2"), x, name = "d2_all" }
        x = conv{ active(x, "t"), name = "t", out = 10, kernel = 1 }
        x = avgpool{ x, name = "t_pool", kernel = 2 }
        x = fire(active(x, "f"), "fire1", 5)
        x = maxpool{ x, name = "pool", kernel = 3, stride = 2, pad = 1 }
        local pooled = avgpool{ x, name = "mean", kernel = 3, stride = 1, pad = 1,
            count_include_pad = false }
        x = concat{ fire(x, "fire2", 4), pooled, x, pooled, name = "all" }
        local y = conv{ active(x, "last_a"), name = "b", out = 12, kernel = { 1, 3 } }
        y = relu{ bn{ add{ y, conv{ x, name = "c", out = 12, kernel = 1 }, name = "sum" }, name = "sum_bn" },
            name = "sum_relu" }
        return dense{ avgpool(y), name = "last", out = 5 }
    end,
}

return {
    net = joins{},
    data = { mean = { 120, 110.5, 100.25 }, std = { 60, 50, 70 } },
    quant = { quantizer = "uniform_static", w_bits = 8, a_bits = 8 },
    train = { batch = 12, lr = 0.01 },
}
