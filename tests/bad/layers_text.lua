-- want: tests/bad/layers_text.lua: net.layers: want a function that lays out the layers
return { net = { layers = "conv" } }
