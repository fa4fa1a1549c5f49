-- The session around a net: prompt, printing of values, completion, scripts. The C side gives
-- `native` (repl_net.c and cmd_repl.c) and calls what this returns.
local native, root = ...

local shown -- a result that a method printed itself during this command

local function load_part(name, ...)
    return assert(loadfile(("%s/gen/session/%s.lua"):format(root, name), "t"))(...)
end

local fields = load_part("repl_fields", native, root)
local options = load_part("repl_options", native, fields)
local function show_shown(result)
    shown = result
end
local nets = load_part("repl_net", native, fields, options, show_shown)
load_part("repl_sweep", native, fields, options, show_shown)

-- ---- Printing ----

local most_depth, width = 4, 78

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
        return (("%q"):format(value):gsub("\\\n", "\\n"))
    elseif type(value) ~= "table" or type(meta) == "table" and meta.__tostring then
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
    elseif #line + 2 * depth <= width and not line:find("\n") then
        return line
    end
    local body = table.concat(parts, ",\n" .. indent)
    return ("{\n%s%s\n%s}"):format(indent, body, ("  "):rep(depth))
end

local function show(value)
    if type(value) == "string" and value:find("\n") then
        print(value)
    else
        print(describe(value, 0, {}))
    end
end

-- ---- Running ----

-- A line that may go on: an expression, a statement, or nil and why not.
local function compile(text)
    local chunk = load("return " .. text, "=prompt", "t")
    if chunk then
        return chunk
    end
    return load(text, "=prompt", "t")
end

local function incomplete(message)
    return message:sub(-5) == "<eof>" or message:find("unfinished long", 1, true)
end

-- "prompt:2: " is of use in more than one line only.
local function plain(message, text)
    return (message:gsub("prompt:(%d+): ", text:find("\n.") and "line %1: " or ""))
end

local function complain(message, text)
    io.stdout:flush()
    io.stderr:write("error: ", native.shown(plain(message, text)), "\n")
end

local function run(chunk, text, timed)
    shown = nil
    local start = native.now()
    local results = table.pack(native.guard(chunk))
    if not results[1] then
        complain(results[2], text)
        return false
    end
    for i = 2, results.n do
        if results[i] ~= nil and not rawequal(results[i], shown) or results.n > 2 then
            local ok, message = native.guard(function()
                show(results[i])
            end)
            if not ok then
                complain(message, text)
            end
        end
    end
    local seconds = native.now() - start
    if timed and seconds > 0.1 and not shown then
        print(("%.2f s"):format(seconds))
    end
    return true
end

-- ? and ? WORD are help.
local function question(text)
    local topic = text:match("^%s*%?%s*(.-)%s*$")
    return topic and (topic == "" and "help()" or ("help(%q)"):format(topic))
end

-- Lines from `read` until they end. True when all went well.
local function session(read, timed)
    local text, good = nil, true
    if timed then
        options.at_prompt()
    end
    while true do
        local line = read(text and ">> " or "> ")
        if line == nil or not text and (line == "exit" or line == "quit") then
            break
        end
        if line == false then -- given up with Ctrl-C
            text = nil
        else
            text = text and text .. "\n" .. line or question(line) or line
            local chunk, message = compile(text)
            if chunk then
                good = run(chunk, text, timed) and good
                text = nil
            elseif not incomplete(message) then
                complain(message, text)
                text, good = nil, false
            end
        end
    end
    if text and text:find("%S") then
        local _, message = compile(text)
        complain(message, text)
        return false
    end
    return good
end

-- ---- Completion ----

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

-- ---- What the C side calls ----

-- The names of a session: defaults are the command line's --weights and --data.
local function begin(defaults)
    help = load_part("repl_help")
    lathe = { open = function(path, options)
        if options ~= nil and type(options) ~= "table" then
            return nets.open(path, options)
        end
        local given = {}
        for key, value in pairs(options or {}) do
            given[key] = value
        end
        given.weights = given.weights or defaults.weights
        given.data = given.data or defaults.data
        return nets.open(path, given)
    end }
    open = lathe.open
end

local function script(path, ...)
    arg = { [0] = path, ... }
    local chunk, message = loadfile(path, "t")
    if not chunk then
        return false, message
    end
    return native.guard(chunk, ...)
end

-- A file that ends in a `return` is a config, as every config does; any other is a script.
local function is_script(path)
    local file, message = io.open(path, "rb")
    if not file then
        return nil, message
    end
    local text = file:read("a") or ""
    file:close()
    return load(text, "=file", "t") ~= nil and load(text .. "\nlocal _", "=file", "t") ~= nil
end

return { begin = begin, session = session, script = script, complete = complete,
    is_script = is_script, run = function(text)
        local chunk, message = compile(text)
        if not chunk then
            complain(message, text)
            return false
        end
        return run(chunk, text, false)
    end }
