-- want: tests/bad/no_debug.lua:2: unknown name 'debug'; layers are add, avgpool, bn, concat, conv, dense, image, maxpool, relu and subsample
return debug
