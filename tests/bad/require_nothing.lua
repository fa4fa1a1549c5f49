-- want: tests/bad/require_nothing.lua:2: bad argument #1 to 'require' (string expected, got no value)
return require()
