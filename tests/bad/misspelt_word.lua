-- want: tests/bad/misspelt_word.lua:2: unknown name 'con'; did you mean 'conv'?
return con{ 1 }
