-- want: tests/bad/syntax.lua:3: unexpected symbol near <eof>
return { net = 
