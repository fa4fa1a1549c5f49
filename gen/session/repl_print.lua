-- How a session shows values: colours, lines as wide as the terminal, a pager.
local native = ...

-- ---- Colours ----

local colours = { string = 32, number = 36, boolean = 35, ["nil"] = 35, error = 31, note = 33,
    title = 1, comment = 2 }
local terminal = native.screen()
local paged = false -- somebody sits there

local function paint(kind, text)
    if not terminal.colours or not colours[kind] or text == "" then
        return text
    end
    return ("\27[%dm%s\27[0m"):format(colours[kind], text)
end

local function bare(text)
    return (text:gsub("\27%[%d*m", ""))
end

local function columns()
    return native.screen().columns
end

-- ---- Values ----

local most_depth = 4

local function sorted_keys(t)
    local list = {}
    for key in pairs(t) do
        if not (math.type(key) == "integer" and key >= 1 and key <= #t) then
            list[#list + 1] = key
        end
    end
    table.sort(list, function(a, b)
        if type(a) == type(b) and (type(a) == "number" or type(a) == "string") then
            return a < b
        end
        return tostring(a) < tostring(b)
    end)
    return list
end

local function key_text(key)
    if type(key) == "string" and key:match("^[%a_][%w_]*$") then
        return key
    end
    return ("[%s]"):format(type(key) == "string" and ("%q"):format(key) or tostring(key))
end

local function describe(value, depth, above)
    local meta = getmetatable(value)
    if type(value) == "string" then
        return paint("string", (("%q"):format(value):gsub("\\\n", "\\n")))
    elseif type(value) ~= "table" then
        return paint(type(value), tostring(value))
    elseif type(meta) == "table" and meta.__tostring then
        return tostring(value)
    elseif above[value] or depth >= most_depth then
        return "{...}"
    end
    above[value] = true
    local parts, indent = {}, ("  "):rep(depth + 1)
    for _, item in ipairs(value) do
        parts[#parts + 1] = describe(item, depth + 1, above)
    end
    for _, key in ipairs(sorted_keys(value)) do
        parts[#parts + 1] = key_text(key) .. " = " .. describe(value[key], depth + 1, above)
    end
    above[value] = nil
    local line = "{ " .. table.concat(parts, ", ") .. " }"
    if #parts == 0 then
        return "{}"
    elseif #bare(line) + 2 * depth <= columns() - 2 and not line:find("\n") then
        return line
    end
    local body = table.concat(parts, ",\n" .. indent)
    return ("{\n%s%s\n%s}"):format(indent, body, ("  "):rep(depth))
end

-- ---- Printing ----

-- Print it, in the pager where it is longer than the screen.
local function page(text)
    local screen, lines = native.screen(), 1
    for _ in text:gmatch("\n") do
        lines = lines + 1
    end
    if not (paged and screen.is and lines >= screen.rows and native.page(text .. "\n")) then
        print(text)
    end
end

-- Fields with their meaning, a table of layers: what our own __tostring makes.
local function decorate(text)
    if not terminal.colours then
        return text
    end
    return (text:gsub("%-%- [^\n]*", function(comment)
        return paint("comment", comment)
    end):gsub("layer +op +[^\n]*", function(header)
        return paint("title", header)
    end))
end

local function show(value)
    local meta = getmetatable(value)
    if type(value) == "string" and value:find("\n") then
        page(value)
    elseif type(value) == "table" and type(meta) == "table" and meta.__tostring then
        page(decorate(tostring(value)))
    else
        page(describe(value, 0, {}))
    end
end

local function at_prompt()
    paged = true
end

return { show = show, page = page, paint = paint, decorate = decorate, describe = function(value)
    return describe(value, 0, {})
end, at_prompt = at_prompt }
