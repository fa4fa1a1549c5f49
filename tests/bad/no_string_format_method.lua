-- want: tests/bad/no_string_format_method.lua:2: attempt to call a nil value (method 'find')
return ("a"):find("a")
