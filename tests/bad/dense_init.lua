-- want: tests/bad/dense_init.lua:4: last: init 'ones', want 'he', 'lecun' or 'zero'
return {
    net = { layers = function()
        return dense{ avgpool(image{ 8, 8, 3 }), name = "last", out = 2, init = "ones" }
    end },
}
