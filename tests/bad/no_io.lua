-- want: tests/bad/no_io.lua:2: unknown name 'io'
return io
