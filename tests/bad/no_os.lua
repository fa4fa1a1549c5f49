-- want: tests/bad/no_os.lua:2: unknown name 'os'; layers are add, avgpool, bn, concat, conv, dense, dropout, image, leaky_relu, maxpool, relu, relu6 and subsample
return os
