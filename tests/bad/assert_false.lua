-- want: tests/bad/assert_false.lua:2: assertion failed!
assert(false)
