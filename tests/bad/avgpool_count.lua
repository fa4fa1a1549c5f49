-- want: tests/bad/avgpool_count.lua:5: image_avgpool: count_include_pad: want true or false, got number
return {
    net = { layers = function()
        local x = image{ 8, 8, 3 }
        local y = avgpool{ x, kernel = 2, count_include_pad = 1 }
        return dense{ avgpool{ y, name = "pool" }, name = "last", out = 2 }
    end },
}
