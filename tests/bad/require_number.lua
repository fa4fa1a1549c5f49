-- want: tests/bad/require_number.lua:2: tests/bad/5.lua: No such file or directory
return require(5)
