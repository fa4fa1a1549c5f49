-- want: tests/bad/assert_text.lua:2: sums are off
assert(1 == 2, "sums are off")
