-- want: tests/bad/returns_number.lua: want the file to return a table, got number
return 5
