-- want: tests/bad/memory_doubling.lua: the config asks for more than 64 MB of memory
local s = "x"
while true do
    s = s .. s
end
