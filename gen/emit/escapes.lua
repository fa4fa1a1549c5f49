-- How text from outside goes into a generated file: one function for each place where it may
-- stand. Each takes such a text and nothing else, so that none is escaped twice; what is lathe's
-- own (numbers, layers' names, C) is printed as it is.
local raw, shown, outside = ...
local escapes = {}

-- A string literal of C, quotes included: the same bytes, in plain characters.
function escapes.c_string(text)
    local function octal(byte) return ("\\%03o"):format(byte:byte()) end
    return '"' .. raw(text):gsub('["\\?]', "\\%0"):gsub("[^ -~]", octal) .. '"'
end

-- A backslash at the end of a line would join it with the next.
local function whole_line(text)
    return (text:gsub("\\$", "\\x5c"))
end

-- Within a comment of C that opens with /*.
function escapes.c_comment(text)
    local function apart(marks) return (marks:gsub("%?", "? ")) end
    return whole_line(shown(raw(text)):gsub("%*/", "* /"):gsub("/%*", "/ *"):gsub("%?%?+", apart))
end

-- The name of a file that is included, quotes included. C has no escapes there: names that need
-- one were refused.
function escapes.c_include(text)
    local name = raw(text)
    assert(shown(name) == name and not name:find('["\\]') and not name:find("??", 1, true), "not refused")
    return '"' .. name .. '"'
end

-- Behind # in a makefile.
function escapes.make_comment(text)
    return whole_line(shown(raw(text)))
end

-- The value of a make variable, of one line; $() keeps a blank before it and a backslash behind.
function escapes.make_value(text)
    local name = raw(text)
    assert(not name:find("\n"), "not refused")
    return (name:gsub("%$", "$$"):gsub("(\\*)#", "%1%1\\#"):gsub("^%s", "$()%0"):gsub("[\\\r]$", "%0$()"))
end

local entities = { ["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;", ['"'] = "&quot;", ["'"] = "&#39;" }

-- In HTML, between tags or in a quoted attribute.
function escapes.html(text)
    return (shown(raw(text)):gsub("[&<>\"']", entities))
end

-- Lines of text in a <pre>.
function escapes.html_lines(text)
    return (raw(text):gsub("[^\n\t]+", shown):gsub("[&<>\"']", entities))
end

-- Its lines, each again a text from outside.
function escapes.lines(text)
    local list = {}
    for line in raw(text):gmatch("[^\n]+") do list[#list + 1] = outside(line) end
    return ipairs(list)
end

return escapes
