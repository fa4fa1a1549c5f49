-- Pre-activation blocks, whose shortcuts carry what no ReLU has quantised: streams. A
-- convolution that is added and normalised, streams that are projected, subsampled and pooled,
-- normalisation of codes, of a stream's normalisation, and of codes that are added.
local preact = family{
    width = 8,
    layers = function(net)
        local function active(x, name)
            return relu{ bn{ x, name = name .. "_bn" }, name = name .. "_relu" }
        end
        local function branch(x, name, out, stride)
            local y = conv{ x, name = name .. "_a", out = out, kernel = 3, stride = stride }
            return conv{ active(y, name .. "_mid"), name = name .. "_b", out = out, kernel = 3 }
        end
        local w = net.width
        local x = conv{ image{ 9, 8, 3 }, name = "stem", out = w, kernel = 3 }
        x = add{ branch(active(x, "b0"), "b0", w, 1), x, name = "b0_add" }
        local a = active(x, "b1")
        local short = conv{ a, name = "b1_proj", out = 2 * w, kernel = 1, stride = 2, pad = 0 }
        x = add{ branch(a, "b1", 2 * w, 2), short, name = "b1_add" }
        a = active(x, "b2")
        local small = subsample{ x, name = "b2_short", stride = 2, out = 3 * w }
        x = add{ branch(a, "b2", 3 * w, 2), small, name = "b2_add" }
        local twice = bn{ bn{ x, name = "c_bn1" }, name = "c_bn2" }
        local codes = active(x, "c")
        local pooled = active(maxpool{ codes, name = "c_pool", kernel = 2, stride = 1, pad = 1 }, "d")
        pooled = subsample{ maxpool{ pooled, name = "d_pool", kernel = 2, stride = 1 }, name = "d_same", stride = 1 }
        local e = add{ bn{ codes, name = "e_bn" }, conv{ pooled, name = "e", out = 3 * w, kernel = 3 }, name = "e_add" }
        x = add{ relu{ e, name = "e_relu" }, twice, name = "f_add" }
        return dense{ avgpool(active(x, "f")), name = "last", out = 5 }
    end,
}

return {
    net = preact{},
    data = { mean = { 120, 110.5, 100.25 }, std = { 60, 50, 70 } },
    quant = { quantizer = "uniform_static", w_bits = 8, a_bits = 8 },
    train = { batch = 12, lr = 0.01 },
}
