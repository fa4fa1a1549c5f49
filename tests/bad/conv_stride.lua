-- want: tests/bad/conv_stride.lua:5: a: stride 17, want 1..16
return {
    net = { layers = function()
        local x = image{ 8, 8, 3 }
        local y = conv{ x, name = "a", out = 4, kernel = 3, stride = 17 }
        return dense{ avgpool(y), name = "last", out = 2 }
    end },
}
