-- want: tests/bad/call_nil.lua:3: attempt to call a nil value (field 'f')
local t = {}
t.f()
