-- want: tests/bad/conv_no_name.lua:5: conv: field 'name' is missing, want a string
return {
    net = { layers = function()
        local x = image{ 8, 8, 3 }
        local y = conv{ x, out = 4, kernel = 3 }
        return dense{ avgpool(y), name = "last", out = 2 }
    end },
}
