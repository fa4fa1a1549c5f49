-- want: tests/bad/family_of_number.lua:2: family: want a table of fields, got number
return { net = family(5){} }
