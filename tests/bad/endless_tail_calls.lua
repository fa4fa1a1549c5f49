-- want: tests/bad/endless_tail_calls.lua:3: the config runs for more than 20000000 instructions
local function f()
    return f()
end
return f()
