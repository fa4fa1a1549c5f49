-- want: tests/bad/maxpool_large.lua:5: image_maxpool: kernel 9 is larger than the padded input, 8 pixels
return {
    net = { layers = function()
        local x = image{ 8, 8, 3 }
        local y = maxpool{ x, kernel = 9 , pad = 0 }
        return dense{ avgpool(y), name = "last", out = 2 }
    end },
}
