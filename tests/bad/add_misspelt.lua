-- want: tests/bad/add_misspelt.lua:5: add: unknown field 'nmae'; did you mean 'name'?
return {
    net = { layers = function()
        local x = image{ 8, 8, 3 }
        local y = add{ x, x, nmae = "a" }
        return dense{ avgpool(y), name = "last", out = 2 }
    end },
}
