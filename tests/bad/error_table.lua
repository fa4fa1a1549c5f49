-- want: tests/bad/error_table.lua: the config raised an error that is no text
error({ "no text" })
