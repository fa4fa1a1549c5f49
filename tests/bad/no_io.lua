-- want: tests/bad/no_io.lua:2: unknown name 'io'; layers are add, avgpool, bn, concat, conv, dense, dropout, image, leaky_relu, maxpool, relu, relu6 and subsample
return io
