-- want: tests/bad/mean_two.lua: data.mean: want a number of pixel units from 0 to 255, or a list of 3 of them
return {
    net = { layers = function()
        return dense{ avgpool(image{ 4, 4, 3 }), name = "last", out = 2 }
    end },
    data = { mean = { 1, 2 } },
}
