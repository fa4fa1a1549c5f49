-- want: tests/bad/endless_layers.lua:2: the config runs for more than 20000000 instructions
return { net = { layers = function() while true do end end } }
