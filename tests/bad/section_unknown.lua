-- want: tests/bad/section_unknown.lua: unknown field trian; did you mean train?
return { net = { layers = function() return dense{ avgpool(image{ 4, 4, 3 }), name = "last", out = 2 } end }, trian = {} }
