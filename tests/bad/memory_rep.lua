-- want: tests/bad/memory_rep.lua: the config asks for more than 64 MB of memory
return ("x"):rep(1 << 30)
