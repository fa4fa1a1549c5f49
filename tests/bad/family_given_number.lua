-- want: tests/bad/family_given_number.lua:10: want a table of fields, got number
local small = family{
    width = 8,
    deep = false,
    kind = "A",
    layers = function(net)
        return dense{ avgpool(image{ 4, 4, 3 }), name = "last", out = net.width }
    end,
}
return { net = small(5) }
