-- want: tests/bad/unpack_range.lua:2: too many results to unpack
return table.unpack({}, 1, 1e7)
