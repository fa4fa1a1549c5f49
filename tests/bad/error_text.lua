-- want: tests/bad/error_text.lua:2: no such luck
error("no such luck")
