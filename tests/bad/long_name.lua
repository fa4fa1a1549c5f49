-- want: tests/bad/long_name.lua: the config asks for more than 64 MB of memory
local names = _ENV
for i = 1, 110 do
    names[("x"):rep(60) .. i] = 1
end
return names[("x"):rep(15000000)]
