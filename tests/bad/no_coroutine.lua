-- want: tests/bad/no_coroutine.lua:2: unknown name 'coroutine'; layers are add, avgpool, bn, concat, conv, dense, image, maxpool, relu and subsample
return coroutine
