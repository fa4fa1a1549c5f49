-- want: tests/bad/image_two_numbers.lua:4: image: channels: want 1..4
return {
    net = { layers = function()
        local y = image{ 8, 8 }
        return dense{ avgpool(y), name = "last", out = 2 }
    end },
}
