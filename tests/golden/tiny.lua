-- One of each: convolution, batch normalisation, add, ReLU, pool, dense. Its compiled form
-- is tiny.txt: lathe show tests/golden/tiny.lua --target plain --dump train/plan
return {
    net = {
        layers = function()
            local x = conv{ image{ 4, 5, 1 }, name = "a", out = 2, kernel = 3 }
            local y = bn{ conv{ x, name = "b", out = 2, kernel = 3, stride = 2 } }
            y = relu(add(y, subsample{ x, name = "c", stride = 2 }))
            return dense{ avgpool(y), name = "d", out = 2 }
        end,
    },
    train = { batch = 4 },
}
