-- want: tests/bad/torch_long.lua:4: last: torch: a name of 260 bytes is too long
return {
    net = { layers = function()
        return dense{ avgpool(image{ 4, 4, 3 }), name = "last", out = 2, torch = ("fc|"):rep(86) .. "fc" }
    end },
}
