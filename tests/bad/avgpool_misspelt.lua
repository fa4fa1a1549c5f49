-- want: tests/bad/avgpool_misspelt.lua:5: avgpool: unknown field 'kernal'; did you mean 'kernel'?
return {
    net = { layers = function()
        local x = image{ 8, 8, 3 }
        local y = avgpool{ x, kernal = 2 }
        return dense{ avgpool(y), name = "last", out = 2 }
    end },
}
