-- The MobileNet family as plain functions: V1 (Howard et al. 2017) of depthwise separable
-- convolutions, V2 (Sandler et al. 2018) of inverted residuals. Layers are called as in
-- torchvision's checkpoints of V2, and of V1 as in those that nest them alike.
local mobilenet = {}

-- Channels times the width multiplier: to the nearest multiple of 8, not below nine tenths.
local function scaled(net, channels)
    local wanted = channels * net.multiplier
    local out = math.max(8, (wanted + 4) // 8 * 8)
    out = out < 0.9 * wanted and out + 8 or out
    return math.tointeger(out)
end

-- Convolution and batch normalisation; torch names the first, the second follows it.
local function unit(x, net, fields, torch, norm)
    fields[1], fields.pad, fields.torch = x, fields.kernel > 1 and net.padding or 0, torch
    return bn{ conv(fields), torch = norm }
end

local function head(x, net, torch)
    return dense{ avgpool(x), name = "classifier", out = net.classes, init = net.dense_init,
        torch = torch }
end

local function stem(net)
    local x = image{ net.image, net.image, 3 }
    return relu6(unit(x, net, { name = "stem", out = scaled(net, 32), kernel = 3,
        stride = net.stem_stride }, "features.0.0", "features.0.1"))
end

-- Depthwise 3x3, then 1x1.
local function separable(x, net, name, torch, out, stride)
    x = relu6(unit(x, net, { name = name .. "_deep", out = x.c, kernel = 3, stride = stride,
        groups = x.c }, torch .. ".0", torch .. ".1"))
    return relu6(unit(x, net, { name = name .. "_point", out = out, kernel = 1 },
        torch .. ".3", torch .. ".4"))
end

-- Stages of MobileNetV1: channels, blocks, stride of the first.
local separable_stages = { { 64, 1, 1 }, { 128, 2, 2 }, { 256, 2, 2 }, { 512, 6, 2 },
    { 1024, 2, 2 } }

-- 1x1 to `expand` times the channels, depthwise 3x3, 1x1 to few channels without ReLU.
local function inverted(x, net, name, torch, expand, out, stride)
    local y, at = x, 0
    torch = torch .. ".conv."
    if expand > 1 then
        y = relu6(unit(y, net, { name = name .. "_expand", out = expand * x.c, kernel = 1 },
            torch .. "0.0", torch .. "0.1"))
        at = 1
    end
    y = relu6(unit(y, net, { name = name .. "_deep", out = y.c, kernel = 3, stride = stride,
        groups = y.c }, torch .. at .. ".0", torch .. at .. ".1"))
    y = unit(y, net, { name = name .. "_reduce", out = out, kernel = 1 },
        torch .. at + 1, torch .. at + 2)
    return stride == 1 and x.c == out and add(y, x) or y
end

-- Stages of MobileNetV2: expansion, channels, blocks, stride of the first.
local inverted_stages = { { 1, 16, 1, 1 }, { 6, 24, 2, 2 }, { 6, 32, 3, 2 }, { 6, 64, 4, 2 },
    { 6, 96, 3, 1 }, { 6, 160, 3, 2 }, { 6, 320, 1, 1 } }

-- The stride that a stage keeps: images of 32 pixels are not made smaller by the stem and the
-- first stages that would.
local function kept_stride(net, stage, stride)
    return stage <= net.whole_stages and 1 or stride
end

-- Both families' fields.
local function fields(more)
    local all = {
        multiplier = 1.0,  -- of all channels
        classes = 1000,
        image = 224,
        stem_stride = 2,
        whole_stages = 0,  -- so many stages have a stride of 1
        padding = "torch",
        dense_init = "lecun",
    }
    for name, value in pairs(more) do all[name] = value end
    return family(all)
end

mobilenet.v1 = fields{ layers = function(net)
    local x = stem(net)
    local index = 0
    for stage, it in ipairs(separable_stages) do
        for block = 0, it[2] - 1 do
            index = index + 1
            x = separable(x, net, ("s%db%d"):format(stage, block), "features." .. index,
                scaled(net, it[1]), block == 0 and kept_stride(net, stage, it[3]) or 1)
        end
    end
    return head(x, net, "classifier|fc|classifier.1")
end }

mobilenet.v2 = fields{ layers = function(net)
    local x = stem(net)
    local index = 0
    for stage, it in ipairs(inverted_stages) do
        for block = 0, it[3] - 1 do
            index = index + 1
            x = inverted(x, net, ("s%db%d"):format(stage, block), "features." .. index, it[1],
                scaled(net, it[2]), block == 0 and kept_stride(net, stage, it[4]) or 1)
        end
    end
    local last = math.max(1280, scaled(net, 1280))
    local torch = "features." .. index + 1
    x = relu6(unit(x, net, { name = "last", out = last, kernel = 1 }, torch .. ".0", torch .. ".1"))
    return head(x, net, "classifier.1|classifier|fc|linear")
end }

return mobilenet
