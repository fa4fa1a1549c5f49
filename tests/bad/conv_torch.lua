-- want: tests/bad/conv_torch.lua:5: a: torch: want a string, got number
return {
    net = { layers = function()
        local x = image{ 8, 8, 3 }
        local y = conv{ x, name = "a", out = 4, kernel = 3, torch = 1 }
        return dense{ avgpool(y), name = "last", out = 2 }
    end },
}
