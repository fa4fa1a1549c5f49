-- want: tests/bad/error_without_place.lua: no such luck
error("no such luck", 0)
