-- want: tests/bad/time_numbers.lua:3: the config runs for more than 5 seconds
local spaces = (" "):rep(30000000)
for i = 1, 1000000 do tonumber(spaces) end
