-- want: tests/bad/family_misspelt.lua: unknown field net.widht; did you mean net.width?
local small = family{
    width = 8,
    deep = false,
    kind = "A",
    layers = function(net)
        return dense{ avgpool(image{ 4, 4, 3 }), name = "last", out = net.width }
    end,
}
return { net = small{ widht = 8 } }
