-- want: tests/bad/milestones_same.lua: train.milestones: want a list of at most 8 rising epochs
return {
    net = { layers = function()
        return dense{ avgpool(image{ 4, 4, 3 }), name = "last", out = 2 }
    end },
    train = { milestones = { 10, 10 } },
}
