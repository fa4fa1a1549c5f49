-- Layers that other people's nets have: convolutions with a bias, with batch normalisation of
-- another eps and momentum behind or none, other activations, dense layers inside, dropout.
local words = family{
    width = 8,
    bn_eps = 1e-3,
    leaky = false,  -- one activation is leaky
    normed = false, -- the last hidden layer
    layers = function(net)
        local w = net.width
        local x = conv{ image{ 5, 4, 3 }, name = "stem", out = w, kernel = 3, bias = true }
        x = relu6(bn{ x, momentum = 0.03 })
        local y = relu6(conv{ x, name = "a", out = w, kernel = 3, bias = true })
        y = bn{ conv{ y, name = "b", out = w, kernel = 3, bias = true }, eps = 0.01 }
        x = add(y, conv{ x, name = "side", out = w, kernel = 1, bias = true })
        x = dropout{ net.leaky and leaky_relu{ x, slope = 0.2 } or relu(x), rate = 0.1 }
        x = relu(conv{ x, name = "c", out = 2 * w, kernel = 3, stride = 2, bias = true })
        x = dropout{ avgpool(x), rate = 0.25 }
        x = dropout(relu(dense{ x, name = "hidden", out = 12 }))
        x = dense{ x, name = "narrow", out = 6 }
        x = relu6(net.normed and bn{ x, eps = 0.5 } or x)
        return dense{ x, name = "last", out = 5 }
    end,
}

return {
    net = words{},
    data = { mean = { 120, 110.5, 100.25 }, std = { 60, 50, 70 } },
    quant = { quantizer = "none", w_bits = 8, a_bits = 8 },
    train = { batch = 21, lr = 0.01, label_smoothing = 0.1 },
}
