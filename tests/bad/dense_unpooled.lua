-- want: tests/bad/dense_unpooled.lua:4: last: input is 8 x 8 x 3, want 1 x 1 pixel: pool it first
return {
    net = { layers = function()
        return dense{ image{ 8, 8, 3 }, name = "last", out = 2 }
    end },
}
