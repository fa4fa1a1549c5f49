-- want: tests/bad/net_number.lua: net: want a table that describes the layers, got number
return { net = 5 }
