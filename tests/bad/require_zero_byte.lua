-- want: tests/bad/require_zero_byte.lua:2: require: want the plain name of a file beside the config
return require "part_failing\0"
