-- want: tests/bad/arithmetic_on_text.lua:2: attempt to add a 'number' with a 'string'
return 1 + "a"
