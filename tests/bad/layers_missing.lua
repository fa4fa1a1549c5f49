-- want: tests/bad/layers_missing.lua: net.layers: want a function that lays out the layers
return { net = {} }
