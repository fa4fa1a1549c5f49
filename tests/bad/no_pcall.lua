-- want: tests/bad/no_pcall.lua:2: unknown name 'pcall'; layers are add, avgpool, bn, concat, conv, dense, dropout, image, leaky_relu, maxpool, relu, relu6 and subsample
return pcall
