-- want: tests/bad/no_os.lua:2: unknown name 'os'; layers are add, avgpool, bn, concat, conv, dense, image, maxpool, relu and subsample
return os
