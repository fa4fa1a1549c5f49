-- want: tests/bad/conv_no_kernel.lua:5: a: field 'kernel' is missing, want 1..31
return {
    net = { layers = function()
        local x = image{ 8, 8, 3 }
        local y = conv{ x, name = "a", out = 4 }
        return dense{ avgpool(y), name = "last", out = 2 }
    end },
}
