-- want: tests/bad/no_table_sort.lua:2: attempt to call a nil value (field 'sort')
table.sort{ 2, 1 }
