-- want: tests/bad/no_load.lua:2: unknown name 'load'; layers are add, avgpool, bn, concat, conv, dense, image, maxpool, relu and subsample
return load
