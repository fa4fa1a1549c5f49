-- want: tests/bad/misspelt_library.lua:2: unknown name 'maths'; did you mean 'math'?
return maths.abs(1)
