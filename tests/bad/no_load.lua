-- want: tests/bad/no_load.lua:2: unknown name 'load'; layers are add, avgpool, bn, concat, conv, dense, dropout, image, leaky_relu, maxpool, relu, relu6 and subsample
return load
