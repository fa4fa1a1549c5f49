-- want: tests/bad/data_list.lua: data: want named fields, got a list
return {
    net = { layers = function()
        return dense{ avgpool(image{ 4, 4, 3 }), name = "last", out = 2 }
    end },
    data = { 3 },
}
