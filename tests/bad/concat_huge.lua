-- want: tests/bad/concat_huge.lua:4: invalid value (nil) at index 3 in table for 'concat'
local t = {}
for i = 0, 40 do t[1 << i] = "x" end
return table.concat(t)
