-- want: tests/bad/family_type.lua: net.width: want a number, got a string
local small = family{
    width = 8,
    deep = false,
    kind = "A",
    layers = function(net)
        return dense{ avgpool(image{ 4, 4, 3 }), name = "last", out = net.width }
    end,
}
return { net = small{ width = "8" } }
