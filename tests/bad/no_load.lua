-- want: tests/bad/no_load.lua:2: unknown name 'load'
return load
