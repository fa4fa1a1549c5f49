-- want: tests/bad/last_not_dense.lua:4: image_avgpool: the last layer laid out must be a dense one, and returned
return {
    net = { layers = function()
        return avgpool(image{ 8, 8, 3 })
    end },
}
