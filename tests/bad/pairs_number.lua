-- want: tests/bad/pairs_number.lua:2: pairs: want a table, got number
for k in pairs(5) do end
