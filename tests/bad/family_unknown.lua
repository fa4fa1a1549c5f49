-- want: tests/bad/family_unknown.lua: unknown field net.q
local small = family{
    width = 8,
    deep = false,
    kind = "A",
    layers = function(net)
        return dense{ avgpool(image{ 4, 4, 3 }), name = "last", out = net.width }
    end,
}
return { net = small{ q = 8 } }
