-- want: tests/bad/endless_loop.lua:2: the config runs for more than 20000000 instructions
while true do end
