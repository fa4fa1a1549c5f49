-- want: tests/bad/name_taken_by_default.lua:5: a_relu: a layer of that name was laid out in line 5 already
return {
    net = { layers = function()
        local x = image{ 8, 8, 3 }
        local y = relu(relu(conv{ x, name = "a", out = 4, kernel = 3 }))
        return dense{ avgpool(y), name = "last", out = 2 }
    end },
}
