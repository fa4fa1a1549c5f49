-- want: tests/bad/classes_text.lua: data.classes: want a list of names without control characters
return {
    net = { layers = function()
        return dense{ avgpool(image{ 4, 4, 3 }), name = "last", out = 2 }
    end },
    data = { classes = "a, b" },
}
