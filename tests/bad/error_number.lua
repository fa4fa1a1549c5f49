-- want: tests/bad/error_number.lua: 42
error(42)
