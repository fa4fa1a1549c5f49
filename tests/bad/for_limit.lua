-- want: tests/bad/for_limit.lua:2: bad 'for' limit (number expected, got string)
for i = 1, "x" do end
