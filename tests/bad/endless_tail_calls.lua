-- want: the config runs for more than 20000000 instructions
local function f()
    return f()
end
return f()
