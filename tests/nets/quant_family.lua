-- A small ResNet with all that quantised arithmetic meets: an image whose channels deviate
-- differently, a stem of any size, max pool, an identity block and one behind each kind of
-- shortcut, which may be laid out before or after the block's own convolutions.
local residual = family{
    side = 8,
    channels = 3,
    width = 4,
    growth = 2, -- the second block's channels as a multiple of the first's
    stem = 3,   -- rows and columns of its window
    groups = 1, -- of the channels of three convolutions
    shortcut = "A",
    pool = false,
    linear = false, -- the first block's sum goes on without ReLU
    itself = false, -- the first block's second convolution is added to what it reads
    early = false, -- the shortcut is laid out first
    layers = function(net)
        local function unit(x, name, out, stride, groups)
            return bn{ conv{ x, name = name, out = out, kernel = 3, stride = stride,
                groups = groups } }
        end
        local function shortcut(x, name, out)
            if net.shortcut == "A" then
                return subsample{ x, name = name .. "_short", stride = 2, out = out }
            end
            return bn{ conv{ x, name = name .. "_proj", out = out, kernel = 1, stride = 2 } }
        end
        local out = net.growth * net.width
        local x = image{ net.side, net.side + 1, net.channels }
        x = relu(bn{ conv{ x, name = "stem", out = net.width, kernel = net.stem } })
        if net.pool then
            x = maxpool{ x, name = "pool", kernel = 3, stride = 2, pad = 1 }
        end
        local y = relu(unit(x, "b0_a", net.width, 1, net.groups))
        x = add(unit(y, "b0_b", net.width, 1), net.itself and y or x)
        x = net.linear and x or relu(x)
        local short = net.early and shortcut(x, "b1", out)
        y = relu(unit(x, "b1_a", out, 2, net.groups))
        y = unit(y, "b1_b", out, 1, net.groups)
        x = relu(net.early and add(short, y) or add(y, shortcut(x, "b1", out)))
        return dense{ avgpool(x), name = "last", out = 5 }
    end,
}

return {
    net = residual{},
    data = { mean = { 120, 110.5, 100.25 }, std = { 60, 50, 70 } },
    quant = { quantizer = "uniform_static", w_bits = 4, a_bits = 4 },
    train = { batch = 12, lr = 0.01 },
}
