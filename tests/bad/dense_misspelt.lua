-- want: tests/bad/dense_misspelt.lua:4: dense: unknown field 'outs'; did you mean 'out'?
return {
    net = { layers = function()
        return dense{ avgpool(image{ 8, 8, 3 }), name = "last", outs = 2 }
    end },
}
