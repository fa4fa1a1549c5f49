-- want: tests/bad/bn_misspelt.lua:5: bn: unknown field 'sclae'; did you mean 'scale'?
return {
    net = { layers = function()
        local x = image{ 8, 8, 3 }
        local y = bn{ x, sclae = 1 }
        return dense{ avgpool(y), name = "last", out = 2 }
    end },
}
