-- want: tests/bad/relu_nothing.lua:5: relu: want relu{ x, ... } with fields, got no value
return {
    net = { layers = function()
        local x = image{ 8, 8, 3 }
        local y = relu()
        return dense{ avgpool(y), name = "last", out = 2 }
    end },
}
