-- The ResNet family (He et al. 2016) as plain functions: a description in, layers out.
local resnet = {}

-- What carries a block's input past its convolutions where the shape changes: option A takes
-- every second pixel and adds zero channels, option B is a 1x1 convolution.
local function shortcut(x, net, name, torch, out, stride)
    if stride == 1 and x.c == out then
        return x
    elseif net.shortcut == "A" then
        return subsample{ x, name = name .. "_shortcut", stride = stride, out = out }
    elseif net.shortcut == "B" then
        local y = conv{ x, name = name .. "_proj", out = out, kernel = 1, stride = stride,
            pad = 0, torch = torch .. ".downsample.0" }
        return bn{ y, torch = torch .. ".downsample.1" }
    end
    error("net.shortcut: want 'A' or 'B', got '" .. net.shortcut .. "'")
end

-- Two 3x3 convolutions.
local function basic_block(x, net, name, torch, out, stride)
    local y = conv{ x, name = name .. "_conv1", out = out, kernel = 3, stride = stride,
        pad = net.padding, torch = torch .. ".conv1" }
    y = relu(bn{ y, torch = torch .. ".bn1" })
    y = conv{ y, name = name .. "_conv2", out = out, kernel = 3, pad = net.padding,
        torch = torch .. ".conv2" }
    y = bn{ y, torch = torch .. ".bn2", scale = net.zero_last_bn and 0 or 1 }
    return relu(add(y, shortcut(x, net, name, torch, out, stride)))
end

-- A 3x3 convolution, which has the stride, between 1x1 ones to a quarter of the channels and
-- back: version 1.5, as torchvision has it.
local function bottleneck_block(x, net, name, torch, out, stride)
    local y = conv{ x, name = name .. "_conv1", out = out, kernel = 1, torch = torch .. ".conv1" }
    y = relu(bn{ y, torch = torch .. ".bn1" })
    y = conv{ y, name = name .. "_conv2", out = out, kernel = 3, stride = stride,
        pad = net.padding, torch = torch .. ".conv2" }
    y = relu(bn{ y, torch = torch .. ".bn2" })
    y = conv{ y, name = name .. "_conv3", out = 4 * out, kernel = 1, torch = torch .. ".conv3" }
    y = bn{ y, torch = torch .. ".bn3", scale = net.zero_last_bn and 0 or 1 }
    return relu(add(y, shortcut(x, net, name, torch, 4 * out, stride)))
end

-- Stages of blocks, each but the first begun by halving rows and columns.
local function stages(x, net, blocks, block_of)
    local out = net.width
    for stage = 1, #blocks do
        for block = 0, blocks[stage] - 1 do
            local stride = stage > 1 and block == 0 and 2 or 1
            x = block_of(x, net, ("s%db%d"):format(stage, block),
                ("layer%d.%d"):format(stage, block), out, stride)
        end
        out = 2 * out
    end
    return x
end

-- ResNet-8, 20, 32, 44, 56, 110 for small images: three stages of (depth - 2) / 6 blocks.
resnet.cifar = family{
    depth = 20,
    width = 16,
    classes = 10,
    image = 32,
    shortcut = "A",
    padding = "torch",
    zero_last_bn = false,
    dense_init = "zero",
    bn_eps = 1e-5,
    bn_momentum = 0.1,
    layers = function(net)
        local blocks = (net.depth - 2) // 6
        assert(blocks >= 1 and net.depth == 6 * blocks + 2,
            "net.depth: want 6 n + 2, such as 8, 20, 32, 44, 56, 110")
        local x = image{ net.image, net.image, 3 }
        x = conv{ x, name = "stem", out = net.width, kernel = 3, pad = net.padding,
            torch = "conv1" }
        x = relu(bn{ x, torch = "bn1" })
        x = stages(x, net, { blocks, blocks, blocks }, basic_block)
        return dense{ avgpool(x), name = "classifier", out = net.classes, init = net.dense_init,
            torch = "linear|fc" }
    end,
}

-- Blocks of the four stages for large images, as published.
local imagenet_blocks = {
    [10] = { basic_block, 1, 1, 1, 1 },
    [18] = { basic_block, 2, 2, 2, 2 },
    [34] = { basic_block, 3, 4, 6, 3 },
    [50] = { bottleneck_block, 3, 4, 6, 3 },
    [101] = { bottleneck_block, 3, 4, 23, 3 },
}

-- ResNet-10, 18 and 34 of basic blocks, 50 and 101 of bottlenecks, for large images.
resnet.imagenet = family{
    depth = 18,
    width = 64,
    classes = 1000,
    image = 224,
    shortcut = "B",
    padding = "torch",
    zero_last_bn = true,
    dense_init = "lecun",
    bn_eps = 1e-5,
    bn_momentum = 0.1,
    layers = function(net)
        local blocks = assert(imagenet_blocks[net.depth],
            "net.depth: want 10, 18, 34, 50 or 101")
        local x = image{ net.image, net.image, 3 }
        x = conv{ x, name = "stem", out = net.width, kernel = 7, stride = 2, pad = 3,
            torch = "conv1" }
        x = relu(bn{ x, torch = "bn1" })
        x = maxpool{ x, name = "pool", kernel = 3, stride = 2, pad = net.padding }
        x = stages(x, net, { table.unpack(blocks, 2) }, blocks[1])
        return dense{ avgpool(x), name = "classifier", out = net.classes, init = net.dense_init,
            torch = "fc" }
    end,
}

return resnet
