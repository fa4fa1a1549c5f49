-- want: tests/bad/no_coroutine.lua:2: unknown name 'coroutine'; layers are add, avgpool, bn, concat, conv, dense, dropout, image, leaky_relu, maxpool, relu, relu6 and subsample
return coroutine
