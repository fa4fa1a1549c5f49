-- want: tests/bad/classes_count.lua: data.classes: 3 names, but the last layer puts out 2 scores
return {
    net = { layers = function()
        return dense{ avgpool(image{ 4, 4, 3 }), name = "last", out = 2 }
    end },
    data = { classes = { "a", "b", "c" } },
}
