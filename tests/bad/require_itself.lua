-- want: tests/bad/require_itself.lua:2: require: require_itself requires itself
local me = require "require_itself"
return me.net
