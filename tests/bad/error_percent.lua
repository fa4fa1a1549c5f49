-- want: tests/bad/error_percent.lua:2: 100 %s of %n
error("100 %s of %n")
