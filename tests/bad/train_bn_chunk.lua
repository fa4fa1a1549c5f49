-- want: tests/bad/train_bn_chunk.lua: train.bn: 'chunk', but a pass of 31 images has 16 chunks (train.chunks): want at least 2 images in each
return {
    net = { layers = function()
        return dense{ avgpool(bn(image{ 4, 4, 3 })), name = "last", out = 2 }
    end },
    train = { batch = 95, micro_batch = 64, bn = "chunk" },
}
