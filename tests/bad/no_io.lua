-- want: tests/bad/no_io.lua:2: unknown name 'io'; layers are add, avgpool, bn, concat, conv, dense, image, maxpool, relu and subsample
return io
