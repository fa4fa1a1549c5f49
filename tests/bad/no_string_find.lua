-- want: tests/bad/no_string_find.lua:2: attempt to call a nil value (field 'find')
return string.find("a", "a")
