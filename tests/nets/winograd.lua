-- Convolutions of 3x3, stride 1, one after the other and two of one tensor, with batch
-- normalisation between: whole tiles and cut ones, channels that change.
local winograd = family{
    height = 9,
    width = 7,
    channels = 8,
    out = 16,
    pad = 1,
    layers = function(net)
        local x = image{ net.height, net.width, 3 }
        x = relu(bn(conv{ x, name = "spread", out = net.channels, kernel = 1 }))
        local function unit(x, name, out)
            return bn(conv{ x, name = name, out = out, kernel = 3, pad = net.pad })
        end
        x = relu(unit(x, "a", net.out))
        x = relu(add(unit(x, "b", net.out), unit(x, "c", net.out)))
        x = relu(unit(x, "d", net.channels))
        return dense{ avgpool(x), name = "last", out = 4 }
    end,
}

return {
    net = winograd{},
    data = { mean = { 120, 110, 100.5 }, std = { 60, 50, 70 } },
    train = { batch = 21, lr = 0.1 },
}
