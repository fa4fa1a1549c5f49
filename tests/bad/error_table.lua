-- want: the config raised an error that is no text
error({ "no text" })
