-- want: tests/bad/no_setmetatable.lua:2: unknown name 'setmetatable'; layers are add, avgpool, bn, concat, conv, dense, image, maxpool, relu and subsample
return setmetatable
