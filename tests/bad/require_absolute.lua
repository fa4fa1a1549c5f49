-- want: tests/bad/require_absolute.lua:2: require: want the plain name of a file beside the config
return require "/etc/passwd"
