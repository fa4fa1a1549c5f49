-- want: tests/bad/dense_one.lua:4: last: out 1, want 2..65536
return {
    net = { layers = function()
        return dense{ avgpool(image{ 8, 8, 3 }), name = "last", out = 1 }
    end },
}
