-- want: tests/bad/no_return.lua: want the file to return a table, got nil
local net = {}
