-- want: tests/bad/milestones_many.lua: train.milestones: want a list of at most 8 rising epochs
return {
    net = { layers = function()
        return dense{ avgpool(image{ 4, 4, 3 }), name = "last", out = 2 }
    end },
    train = { milestones = { 1, 2, 3, 4, 5, 6, 7, 8, 9 } },
}
