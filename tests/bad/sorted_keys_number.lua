-- want: tests/bad/sorted_keys_number.lua:2: bad argument #1 to 'sorted_keys' (table expected, got number)
sorted_keys(5)
