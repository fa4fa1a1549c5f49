-- want: tests/bad/time_empty_rep.lua: want the file to return a table, got string
return (""):rep(1 << 62)
