-- want: tests/bad/classes_direction.lua: data.classes: want a list of names without control characters
return {
    net = { layers = function()
        return dense{ avgpool(image{ 4, 4, 3 }), name = "last", out = 2 }
    end },
    data = { classes = { "cat", "dog\u{202e}tac" } },
}
