-- want: tests/bad/relu_number.lua:5: relu: want relu{ x, ... } with fields, got number
return {
    net = { layers = function()
        local x = image{ 8, 8, 3 }
        local y = relu(5)
        return dense{ avgpool(y), name = "last", out = 2 }
    end },
}
