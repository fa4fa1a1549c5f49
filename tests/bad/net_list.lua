-- want: tests/bad/net_list.lua: net: want named fields only
return { net = { 1, 2 } }
