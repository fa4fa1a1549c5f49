-- want: tests/bad/no_os.lua:2: unknown name 'os'
return os
