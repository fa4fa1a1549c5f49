-- want: tests/bad/no_debug.lua:2: unknown name 'debug'
return debug
