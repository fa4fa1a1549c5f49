-- want: tests/bad/no_pcall.lua:2: unknown name 'pcall'
return pcall
