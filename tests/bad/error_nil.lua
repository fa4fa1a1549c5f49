-- want: tests/bad/error_nil.lua: the config raised an error that is no text
error()
