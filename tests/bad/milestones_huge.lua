-- want: tests/bad/milestones_huge.lua: train.milestones: want a list of at most 8 rising epochs
return {
    net = { layers = function()
        return dense{ avgpool(image{ 4, 4, 3 }), name = "last", out = 2 }
    end },
    train = { milestones = (function()
        local t = {}
        for i = 0, 31 do t[1 << i] = i + 1 end
        return t
    end)() },
}
