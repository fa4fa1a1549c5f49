-- What Tab completes: names, members, layers, files.
local native, nets = ...

local keywords = { "and", "break", "do", "else", "elseif", "end", "false", "for", "function",
    "goto", "if", "in", "local", "nil", "not", "or", "repeat", "return", "then", "true", "until",
    "while" }

-- The value of "a.b:c", without calling anything but our own nets' fields.
local function resolve(path)
    local value = _G
    for name in path:gmatch("[%a_][%w_]*") do
        if type(value) ~= "table" then
            return nil
        end
        local ok, inner = pcall(function()
            return value[name]
        end)
        value = ok and inner or nil
    end
    return value
end

local function member_names(value, separator)
    local ours = nets.members(value, separator)
    if ours then
        return ours
    end
    local meta, list = getmetatable(value), {}
    local inner = type(value) == "table" and value or type(meta) == "table" and meta.__index
    for key in pairs(type(inner) == "table" and inner or {}) do
        if type(key) == "string" and key:match("^[%a_][%w_]*$") then
            list[#list + 1] = key
        end
    end
    return list
end

-- Where an unfinished string begins, or nil.
local function string_start(line)
    local quote, start
    local i = 1
    while i <= #line do
        local c = line:sub(i, i)
        if quote and c == "\\" then
            i = i + 1
        elseif c == quote then
            quote = nil
        elseif not quote and (c == '"' or c == "'") then
            quote, start = c, i + 1
        end
        i = i + 1
    end
    return quote and start
end

local function begin_so(list, beginning)
    local found = {}
    for _, word in ipairs(list) do
        if word:sub(1, #beginning) == beginning then
            found[#found + 1] = word
        end
    end
    table.sort(found)
    return found
end

-- The words that may stand at the line's end, and the byte they begin at.
local function complete(line)
    local start = string_start(line)
    if start then
        local typed, before = line:sub(start), line:sub(1, start - 2)
        local name = before:match("([%a_][%w_]*)%s*%[%s*$")
            or before:match("([%a_][%w_]*):source%s*%(?%s*$")
            or before:match("([%a_][%w_]*):sweep%s*%(?%s*$")
        local layers = name and nets.layers_of(resolve(name))
        return layers and begin_so(layers, typed) or native.files(typed), start - 1
    end
    local path, separator, typed = line:match("([%a_][%w_%.]*)%s*([%.:])%s*([%w_]*)$")
    if path then
        local value = resolve(path)
        return value ~= nil and begin_so(member_names(value, separator), typed) or {},
            #line - #typed
    end
    typed = line:match("[%w_]*$")
    local list = member_names(_G, ".")
    table.move(keywords, 1, #keywords, #list + 1, list)
    return begin_so(list, typed), #line - #typed
end

return complete
