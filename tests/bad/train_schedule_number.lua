-- want: tests/bad/train_schedule_number.lua: train.schedule: want 'step', 'cosine', 'one_cycle' or 'linear'
return {
    net = { layers = function()
        return dense{ avgpool(image{ 4, 4, 3 }), name = "last", out = 2 }
    end },
    train = { schedule = 1 },
}
