-- want: tests/bad/require_missing.lua:2: tests/bad/not_there.lua: No such file or directory
return require "not_there"
