-- want: tests/bad/conv_kernel_large.lua:5: a: kernel 9 is larger than the padded input, 8 pixels
return {
    net = { layers = function()
        local x = image{ 8, 8, 3 }
        local y = conv{ x, name = "a", out = 4, kernel = 9, pad = 0 }
        return dense{ avgpool(y), name = "last", out = 2 }
    end },
}
