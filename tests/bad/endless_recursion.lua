-- want: tests/bad/endless_recursion.lua: the config asks for more than 64 MB of memory
local function f()
    return 1 + f()
end
return f()
