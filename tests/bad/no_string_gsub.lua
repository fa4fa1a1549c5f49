-- want: tests/bad/no_string_gsub.lua:2: attempt to call a nil value (field 'gsub')
return string.gsub("a", "a", "b")
