-- want: tests/bad/no_string_match.lua:2: attempt to call a nil value (field 'match')
return string.match("a", "a")
