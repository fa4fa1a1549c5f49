-- want: tests/bad/data_misspelt.lua: unknown field data.means; did you mean data.mean?
return {
    net = { layers = function()
        return dense{ avgpool(image{ 4, 4, 3 }), name = "last", out = 2 }
    end },
    data = { means = 3 },
}
