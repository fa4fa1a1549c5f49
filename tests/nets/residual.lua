-- A small ResNet with everything the family has: a 7x7 stem, max pool, blocks with both
-- kinds of shortcut, one with none.
local residual = family{
    side = 13,
    width = 4,
    padding = "torch",
    layers = function(net)
        local function unit(x, name, out, stride)
            return bn{ conv{ x, name = name, out = out, kernel = 3, stride = stride,
                pad = net.padding } }
        end
        local function block(x, name, out, stride, shortcut)
            local y = relu(unit(x, name .. "_a", out, stride))
            y = unit(y, name .. "_b", out, 1)
            return relu(add(y, shortcut))
        end
        local x = image{ net.side, net.side + 2, 3 }
        x = relu(bn{ conv{ x, name = "stem", out = net.width, kernel = 7, stride = 2, pad = 3 } })
        x = maxpool{ x, name = "pool", kernel = 3, stride = 2, pad = net.padding }
        x = block(x, "b0", net.width, 1, x)
        x = block(x, "b1", net.width + 4, 2,
            subsample{ x, name = "b1_short", stride = 2, out = net.width + 4 })
        x = block(x, "b2", 2 * net.width, 1,
            bn{ conv{ x, name = "b2_proj", out = 2 * net.width, kernel = 1 } })
        return dense{ avgpool(x), name = "last", out = 5 }
    end,
}

return {
    net = residual{},
    data = { mean = { 120, 110, 100.5 }, std = { 60, 50, 70 } },
    train = { batch = 24, lr = 0.1 },
}
