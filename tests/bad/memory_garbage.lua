-- want: tests/bad/memory_garbage.lua: the config asks for more than 64 MB of memory
for i = 1, 1e9 do
    local s = ("x"):rep(100000) .. i
end
