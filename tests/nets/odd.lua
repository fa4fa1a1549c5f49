-- What no ResNet does but the language allows: convolutions without batch normalisation and
-- ReLU, one after the other, a tensor read four times, adds of a tensor to itself and to its
-- batch normalisation, batch normalisation and ReLU of the image, layers alike but for what
-- follows them or what needs a gradient, dense layers in a row, 3x3 kernels over one pixel.
local odd = family{
    channels = 3,
    layers = function(net)
        local picture = image{ 8, 6, net.channels }
        local lit = relu{ bn{ picture, name = "lit" }, name = "lit_out" }
        local seen = relu{ picture, name = "seen" }
        local a = conv{ picture, name = "a", out = 8, kernel = 3 }
        local b = conv{ a, name = "b", out = 8, kernel = 5, stride = 2, pad = "same" }
        local c = maxpool{ a, name = "c", kernel = 2 }
        local d = subsample{ a, name = "d", stride = 2 }
        local e = add{ b, c, name = "e" }
        local f = relu{ add{ e, d, name = "f_sum" }, name = "f" }
        local g = add{ f, f, name = "g" }
        local h1 = relu{ conv{ g, name = "h1", out = 8, kernel = 3 }, name = "h1_out" }
        local h2 = relu{ bn{ conv{ h1, name = "h2", out = 8, kernel = 3 } }, name = "h2_out" }
        local h = relu{ add{ bn{ h2, name = "h_bn" }, h2, name = "h_sum" }, name = "h" }
        local h3 = conv{ h, name = "h3", out = net.channels, kernel = 3 }
        local h4 = conv{ h, name = "h4", out = net.channels, kernel = 3 }
        local small = subsample{ lit, name = "small", stride = 2 }
        local raw = subsample{ seen, name = "raw", stride = 2 }
        local i = relu{ add{ h3, raw, name = "i_sum" }, name = "i" }
        local j = relu{ add{ raw, h4, name = "j_sum" }, name = "j" }
        local k = bn{ add{ add{ i, j, name = "k_sum" }, small, name = "k_all" }, name = "k" }
        local l = avgpool(k)
        local m = conv{ l, name = "m", out = 6, kernel = 3, stride = 2 }
        local p = avgpool(conv{ k, name = "p", out = 6, kernel = 3, stride = 2 })
        local n = relu{ dense{ add{ m, p, name = "mp" }, name = "n", out = 6 }, name = "n_out" }
        local o = conv{ n, name = "o", out = 6, kernel = 3 }
        return dense{ o, name = "last", out = 4, init = "he" }
    end,
}

return {
    net = odd{},
    data = { mean = 127, std = 60 },
    train = { batch = 21, lr = 0.1, label_smoothing = 0.1 },
}
