-- The least that classifies 32 x 32 pictures in ten classes, for runs of the whole command.
return {
    net = family{
        width = 8,
        layers = function(net)
            local x = image{ 32, 32, 3 }
            x = relu(bn{ conv{ x, name = "a", out = net.width, kernel = 5, stride = 4 } })
            x = relu(bn{ conv{ x, name = "b", out = net.width, kernel = 3, stride = 2 } })
            return dense{ avgpool(x), name = "last", out = 10 }
        end,
    }{},
    train = { epochs = 2, batch = 20, lr = 0.05, flip = true, crop = 2, held_out = 30,
        ema = 0.9, seed = 4 },
}
