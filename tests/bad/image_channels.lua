-- want: tests/bad/image_channels.lua:4: image: channels: want 1..4
return {
    net = { layers = function()
        local y = image{ 8, 8, 5 }
        return dense{ avgpool(y), name = "last", out = 2 }
    end },
}
