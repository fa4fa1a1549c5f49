-- want: tests/bad/concat_eight.lua:5: concat: more than 7 values without a name
return {
    net = { layers = function()
        local x = image{ 8, 8, 3 }
        local y = concat(x, x, x, x, x, x, x, x)
        return dense{ avgpool(y), name = "last", out = 2 }
    end },
}
