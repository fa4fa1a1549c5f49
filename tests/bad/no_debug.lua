-- want: tests/bad/no_debug.lua:2: unknown name 'debug'; layers are add, avgpool, bn, concat, conv, dense, dropout, image, leaky_relu, maxpool, relu, relu6 and subsample
return debug
