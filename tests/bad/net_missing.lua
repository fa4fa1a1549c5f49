-- want: tests/bad/net_missing.lua: net: want a table that describes the layers, got nil
return { train = {} }
