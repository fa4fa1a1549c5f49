-- want: tests/bad/argument_nil.lua:5: unknown name 'y'; layers are add, avgpool, bn, concat, conv, dense, dropout, image, leaky_relu, maxpool, relu, relu6 and subsample
return {
    net = { layers = function()
        local x = image{ 8, 8, 3 }
        return dense{ avgpool(y), name = "last", out = 2 }
    end },
}
