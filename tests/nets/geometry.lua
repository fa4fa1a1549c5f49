-- Windows of many sizes side by side on one small image, each closed by a pool and a dense
-- layer of its own: kernels to compare with plain loops.
local geometry = family{
    height = 9,
    width = 7,
    channels = 8, -- the windows' input
    out = 16,     -- the convolutions' output
    padding = "torch", -- or "same", or "pixels"
    pixels = 0,
    own_input = false, -- each window reads a tensor of its own, so no gradient is added up
    layers = function(net)
        local x = image{ net.height, net.width, 3 }
        x = relu(bn(conv{ x, name = "spread", out = net.channels, kernel = 1 }))
        local sum
        local function input(name)
            return net.own_input and relu{ x, name = name .. "_in" } or x
        end
        local function close(y, name)
            y = dense{ avgpool{ y, name = name .. "_pool" }, name = name .. "_dense", out = 3 }
            sum = sum and add{ sum, y, name = name .. "_sum" } or y
        end
        local function pad(kernel)
            return net.padding == "pixels" and math.min(net.pixels, kernel - 1) or net.padding
        end
        for kernel = 1, 7, 2 do
            for stride = 1, 3 do
                local name = ("conv%ds%d"):format(kernel, stride)
                close(conv{ input(name), name = name, out = net.out, kernel = kernel,
                    stride = stride, pad = pad(kernel) }, name)
            end
        end
        for kernel = 2, 3 do
            for stride = 1, 3 do
                local name = ("max%ds%d"):format(kernel, stride)
                close(maxpool{ input(name), name = name, kernel = kernel, stride = stride,
                    pad = pad(kernel) }, name)
            end
        end
        for kernel = 2, 3 do
            for stride = 1, 3 do
                local name = ("mean%ds%d"):format(kernel, stride)
                close(avgpool{ input(name), name = name, kernel = kernel, stride = stride,
                    pad = pad(kernel), count_include_pad = stride ~= 2 }, name)
            end
        end
        close(maxpool{ input("largest"), name = "largest" }, "largest")
        for stride = 1, 3 do
            local name = ("sub%d"):format(stride)
            close(subsample{ input(name), name = name, stride = stride,
                out = net.channels + 2 * stride - 1 }, name)
        end
        return dense{ sum, name = "last", out = 4 }
    end,
}

return {
    net = geometry{},
    data = { mean = { 120, 110, 100.5 }, std = { 60, 50, 70 } },
    train = { batch = 6, lr = 0.1 },
}
