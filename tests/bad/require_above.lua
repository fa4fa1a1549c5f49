-- want: tests/bad/require_above.lua:2: require: want the plain name of a file beside the config
return require "../nets/odd"
