-- want: tests/bad/subsample_misspelt.lua:5: subsample: unknown field 'strid'; did you mean 'stride'?
return {
    net = { layers = function()
        local x = image{ 8, 8, 3 }
        local y = subsample{ x, strid = 2 }
        return dense{ avgpool(y), name = "last", out = 2 }
    end },
}
