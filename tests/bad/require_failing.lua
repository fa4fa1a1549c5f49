-- want: tests/bad/part_failing.lua:1: this part fails
return require "part_failing"
