-- want: tests/bad/avgpool_pad.lua:5: image_avgpool: pad: is of no use without a kernel
return {
    net = { layers = function()
        local x = image{ 8, 8, 3 }
        local y = avgpool{ x, pad = "same" }
        return dense{ y, name = "last", out = 2 }
    end },
}
