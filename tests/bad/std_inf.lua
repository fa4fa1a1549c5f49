-- want: tests/bad/std_inf.lua: data.std: want a number of pixel units from 0.001 to 255, or a list of 3 of them
return {
    net = { layers = function()
        return dense{ avgpool(image{ 4, 4, 3 }), name = "last", out = 2 }
    end },
    data = { std = 1 / 0 },
}
