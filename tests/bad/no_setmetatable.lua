-- want: tests/bad/no_setmetatable.lua:2: unknown name 'setmetatable'
return setmetatable
