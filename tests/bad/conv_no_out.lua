-- want: tests/bad/conv_no_out.lua:5: a: field 'out' is missing, want 1..65536
return {
    net = { layers = function()
        local x = image{ 8, 8, 3 }
        local y = conv{ x, name = "a", kernel = 3 }
        return dense{ avgpool(y), name = "last", out = 2 }
    end },
}
