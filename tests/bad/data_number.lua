-- want: tests/bad/data_number.lua: data: want a table, got number
return {
    net = { layers = function()
        return dense{ avgpool(image{ 4, 4, 3 }), name = "last", out = 2 }
    end },
    data = 5,
}
