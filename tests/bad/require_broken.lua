-- want: tests/bad/part_broken.lua:2: unexpected symbol near <eof>
return require "part_broken"
