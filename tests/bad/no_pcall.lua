-- want: tests/bad/no_pcall.lua:2: unknown name 'pcall'; layers are add, avgpool, bn, concat, conv, dense, image, maxpool, relu and subsample
return pcall
