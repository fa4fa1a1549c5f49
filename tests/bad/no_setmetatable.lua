-- want: tests/bad/no_setmetatable.lua:2: unknown name 'setmetatable'; layers are add, avgpool, bn, concat, conv, dense, dropout, image, leaky_relu, maxpool, relu, relu6 and subsample
return setmetatable
