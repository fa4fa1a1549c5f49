-- want: tests/bad/add_three.lua:5: add: more than 2 values without a name
return {
    net = { layers = function()
        local x = image{ 8, 8, 3 }
        local y = add(x, relu(x), x)
        return dense{ avgpool(y), name = "last", out = 2 }
    end },
}
