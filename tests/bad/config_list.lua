-- want: tests/bad/config_list.lua: config: want named fields, got a list
return { { }, net = { layers = function() return dense{ avgpool(image{ 4, 4, 3 }), name = "last", out = 2 } end } }
