-- want: tests/bad/require_long.lua:2: require: want the plain name of a file beside the config
return require(("a"):rep(65))
