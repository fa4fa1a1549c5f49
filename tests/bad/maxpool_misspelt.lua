-- want: tests/bad/maxpool_misspelt.lua:5: maxpool: unknown field 'strides'; did you mean 'stride'?
return {
    net = { layers = function()
        local x = image{ 8, 8, 3 }
        local y = maxpool{ x, kernel = 2, strides = 2 }
        return dense{ avgpool(y), name = "last", out = 2 }
    end },
}
