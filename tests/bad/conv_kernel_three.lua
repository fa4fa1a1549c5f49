-- want: tests/bad/conv_kernel_three.lua:5: a: kernel: want a number, or { rows, columns } of 1..31, 1..31
return {
    net = { layers = function()
        local x = image{ 8, 8, 3 }
        local y = conv{ x, name = "a", out = 4, kernel = { 3, 3, 3 } }
        return dense{ avgpool(y), name = "last", out = 2 }
    end },
}
