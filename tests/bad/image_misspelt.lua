-- want: tests/bad/image_misspelt.lua:4: image: unknown field 'nmae'; did you mean 'name'?
return {
    net = { layers = function()
        local y = image{ 8, 8, 3, nmae = "x" }
        return dense{ avgpool(y), name = "last", out = 2 }
    end },
}
