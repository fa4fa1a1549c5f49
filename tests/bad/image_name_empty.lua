-- want: tests/bad/image_name_empty.lua:5: name '': want at most 40 of a-z, 0-9 and _, beginning with a letter
return {
    net = {
        layers = function()
            return dense{ avgpool(image{ 8, 8, 3, name = "" }), name = "fc", out = 4 }
        end,
    },
}
