-- want: tests/bad/relu_misspelt.lua:5: relu: unknown field 'nam'; did you mean 'name'?
return {
    net = { layers = function()
        local x = image{ 8, 8, 3 }
        local y = relu{ x, nam = "a" }
        return dense{ avgpool(y), name = "last", out = 2 }
    end },
}
