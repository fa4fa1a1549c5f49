-- want: tests/bad/subsample_few.lua:5: image_subsample: out 2, want 3..65536
return {
    net = { layers = function()
        local x = image{ 8, 8, 3 }
        local y = subsample{ x, stride = 2, out = 2 }
        return dense{ avgpool(y), name = "last", out = 2 }
    end },
}
