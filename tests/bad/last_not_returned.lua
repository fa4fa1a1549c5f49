-- want: tests/bad/last_not_returned.lua:6: b: the last layer laid out must be a dense one, and returned
return {
    net = { layers = function()
        local x = avgpool(image{ 8, 8, 3 })
        local a = dense{ x, name = "a", out = 2 }
        dense{ x, name = "b", out = 2 }
        return a
    end },
}
