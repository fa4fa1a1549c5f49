-- want: tests/bad/net_control.lua: net.note: want text without control characters
return {
    net = { note = "a\ntrain.seed=2", layers = function()
        return dense{ avgpool(image{ 4, 4, 3 }), name = "last", out = 2 }
    end },
}
