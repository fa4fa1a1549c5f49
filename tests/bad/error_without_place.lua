-- want: no such luck
error("no such luck", 0)
