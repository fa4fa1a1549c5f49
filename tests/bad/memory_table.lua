-- want: tests/bad/memory_table.lua: the config asks for more than 64 MB of memory
local t = {}
for i = 1, 1e9 do
    t[i] = i
end
