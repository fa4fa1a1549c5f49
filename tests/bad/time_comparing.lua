-- want: tests/bad/time_comparing.lua:5: the config runs for more than 5 seconds
local a = ("x"):rep(8 << 20)
local b = a .. "y"
local n = 0
while true do if a < b then n = n + 1 end end
