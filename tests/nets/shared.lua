-- For processes that train together: images mixed with those of other processes, a step of
-- two passes of which the last is not full, dropout, averages, a gradient in tasks (c: for
-- 64 chunks), statistics of few images.
return {
    net = {
        layers = function()
            local x = relu(bn{ conv{ image{ 8, 8, 3 }, name = "a", out = 16, kernel = 3 } })
            local y = bn{ conv{ x, name = "b", out = 64, kernel = 3, stride = 2 } }
            y = relu(add(y, bn{ conv{ x, name = "p", out = 64, kernel = 1, stride = 2 } }))
            y = relu(bn{ conv{ y, name = "c", out = 128, kernel = 3, stride = 2 } })
            return dense{ dropout{ avgpool(y), rate = 0.1 }, name = "d", out = 5 }
        end,
    },
    train = {
        epochs = 2,
        batch = 40,
        micro_batch = 28,
        chunks = 64,
        lr = 0.1,
        momentum = 0.9,
        ema = 0.9,
        bn_batches = 2,
        flip = true,
        crop = 1,
        mixup = 0.2,
        cutmix = 1,
        held_out = 30,
        test_every = 1,
    },
}
