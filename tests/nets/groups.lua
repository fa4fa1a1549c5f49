-- Convolutions whose channels do not all meet, and windows that are not square, side by side:
-- each closed by a pool and a dense layer of its own.
local groups = family{
    height = 6,
    width = 5,
    channels = 16,
    groups = 2,
    padding = "torch",
    quantised = false, -- with batch normalisation and ReLU, as quantised layers want them
    layers = function(net)
        local x = image{ net.height, net.width, 3 }
        x = relu(bn{ conv{ x, name = "spread", out = net.channels, kernel = 1 } })
        local sum
        local function close(y, name)
            if net.quantised then
                y = relu(bn(y))
            end
            y = avgpool{ y, name = name .. "_pool" }
            if not net.quantised then
                y = dense{ y, name = name .. "_dense", out = 3 }
            end
            sum = sum and add{ sum, y, name = name .. "_sum" } or y
        end
        local function window(name, kernel, stride, groups, out)
            close(conv{ x, name = name, out = out or net.channels, kernel = kernel, stride = stride,
                groups = groups, pad = net.padding }, name)
        end
        window("deep", 3, 1, net.channels)
        window("deep_down", 3, 2, net.channels)
        window("deep_large", 5, 1, net.channels)
        window("deep_low", { 1, 3 }, 2, net.channels)
        window("twice", 3, 1, net.channels, 2 * net.channels)
        window("group", 3, 1, net.groups)
        window("group_down", { 2, 3 }, 2, net.groups)
        window("group_one", 1, 1, net.groups, net.groups * 3)
        window("high", { 5, 1 }, 1)
        window("low", { 1, 4 }, 2)
        return dense{ sum, name = "last", out = 4 }
    end,
}

return {
    net = groups{},
    data = { mean = { 120, 110, 100.5 }, std = { 60, 50, 70 } },
    train = { batch = 6, lr = 0.1 },
}
