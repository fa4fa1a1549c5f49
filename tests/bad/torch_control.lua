-- want: tests/bad/torch_control.lua:4: last: torch: want text without control characters
return {
    net = { layers = function()
        return dense{ avgpool(image{ 4, 4, 3 }), name = "last", out = 2, torch = "fc\27[2J" }
    end },
}
