-- Fields of a session's net, to read and set: sections of the config, layers and patterns of
-- them. Setting one is an override, as --set is; the config says what it may be.
local native, root = ...

local methods = {} -- of a net; repl_net.lua fills it
local sessions = setmetatable({}, { __mode = "k" }) -- net, section or layer -> session
local names = setmetatable({}, { __mode = "k" })    -- section or layer -> its name or pattern
local own = "@" .. root .. "/gen/session/"

-- An error at the user's line, not in here.
local function fail(message, ...)
    local level, place = 2, ""
    local info
    repeat
        level = level + 1
        info = debug.getinfo(level, "Sl")
    until not info or (info.currentline > 0 and info.source:sub(1, #own) ~= own)
    if info and info.source ~= "=prompt" then
        place = ("%s:%d: "):format(info.short_src, info.currentline)
    end
    error(place .. message:format(...), 0)
end

local function check(value, message)
    if value == nil then
        fail("%s", message)
    end
    return value
end

local function sorted(list)
    table.sort(list)
    return list
end

local function keys(t)
    local list = {}
    for key in pairs(t) do
        list[#list + 1] = key
    end
    return sorted(list)
end

local function suggest(word, list)
    local nearest = type(word) == "string" and native.nearest(word, list)
    return nearest and ("; did you mean %s?"):format(nearest) or ""
end

-- ---- Fields ----

local sections = { net = true, data = true, train = true, quant = true }
local section_fields = { net = {}, data = { "classes", "mean", "std" }, train = { "milestones" },
    quant = { "layers" } }
local layer_fields, meanings = {}, {}
for _, field in ipairs(native.fields()) do
    table.insert(section_fields[field.section], field.name)
    meanings[field.section .. "." .. field.name] = field.meaning
    if field.of_layer then
        layer_fields[field.name] = true
    end
end

local function field_key(key)
    return key:match("^[%a_][%w_]*$") or ("[%q]"):format(key)
end

-- What somebody typed, short and in one line.
local function brief(word)
    local line = tostring(word):gsub("\n", "\\n")
    return #line > 60 and line:sub(1, 60) .. "..." or line
end

-- Words in lines of at most 78 characters.
local function wrapped(words, separator, indent)
    local lines, line = {}, indent
    for i, word in ipairs(words) do
        word = i < #words and word .. separator or word
        if #line + #word > 78 and line ~= indent then
            lines[#lines + 1], line = line:gsub("%s+$", ""), indent
        end
        line = line .. word
    end
    lines[#lines + 1] = line
    return table.concat(lines, "\n")
end

-- A Lua value as the text of it; `name` is of the field it is for, in errors.
local function literal(value, name, depth)
    local kind = type(value)
    name, depth = name or "a field", depth or 0
    if kind == "number" and value ~= value or value == math.huge or value == -math.huge then
        fail("%s: %s, want a finite number", name, tostring(value))
    elseif math.type(value) == "float" then
        local short = ("%.15g"):format(value)
        return tonumber(short) == value and short or ("%.17g"):format(value)
    elseif kind == "string" then
        return (("%q"):format(value):gsub("\n", "n"))
    elseif kind == "nil" then
        fail("%s: nil, want a value; net:undo() takes the last change back", name)
    elseif kind ~= "table" and kind ~= "number" and kind ~= "boolean" then
        fail("%s: a %s, want a number, a text, true, false or a list", name, kind)
    elseif kind ~= "table" then
        return tostring(value)
    elseif depth > 8 then
        fail("%s: a table in itself, or too deep", name)
    end
    local parts = {}
    for i, item in ipairs(value) do
        parts[i] = literal(item, name, depth + 1)
    end
    local named = {}
    for key in pairs(value) do
        if type(key) == "string" then
            named[#named + 1] = key
        end
    end
    for _, key in ipairs(sorted(named)) do
        parts[#parts + 1] = field_key(key) .. " = " .. literal(value[key], name, depth + 1)
    end
    return #parts > 0 and "{ " .. table.concat(parts, ", ") .. " }" or "{}"
end

-- An override; a net in floats is told how it is quantised.
local function override(session, key, text, shown)
    local ok, message = session:set(key, text)
    if not ok and message:find("quant.quantizer is missing", 1, true) then
        message = message:gsub(";.*", "") .. '; first, net.quant.quantizer = "uniform_static"'
    elseif not ok and shown then -- of a layer's field the config says it is one of quant
        local field = shown:match("[^.]*$")
        message = message:gsub(("quant%%.%s: "):format(field:gsub("%p", "%%%0")),
            (shown:gsub("%%", "%%%%")) .. ": ", 1)
    end
    check(ok, message)
end

local function set(session, path, value)
    override(session, path, path .. "=" .. literal(value, path))
end

local function set_layer(session, pattern, field, value)
    local name = brief(pattern) .. "." .. field
    local entry = ("{ %q, %s = %s }"):format(pattern, field_key(field), literal(value, name))
    override(session, pattern .. "." .. field, "quant.layers+=" .. entry, name)
end

-- What "data.mean={1,2}" says behind the sign.
local function parse(text)
    if text == "true" or text == "false" then
        return text == "true"
    elseif text:sub(1, 1) == "{" then
        local list = {}
        for number in text:gmatch("[^{},]+") do
            list[#list + 1] = tonumber(number)
        end
        return list
    end
    return tonumber(text) or text
end

-- A section's fields by name, with defaults.
local function fields_of(session, name)
    local fields = session:section(name)
    for line in session:info().lines:gmatch("[^\n]+") do
        local section, key, value = line:match("^(%w+)%.([%w_]+)=(.*)$")
        if section == name and key ~= "layers" then
            fields[key] = fields[key] == nil and parse(value) or fields[key]
        end
    end
    return fields
end

local Section = {}

function Section.__index(section, key)
    local session, name = sessions[section], names[section]
    local fields = fields_of(session, name)
    if name == "quant" and key == "layers" then
        fail('quant.layers: read the layers themselves, such as net["stem"].w_bits')
    elseif fields[key] == nil then
        fail("unknown field %s.%s%s", name, tostring(key), suggest(key, keys(fields)))
    end
    return fields[key]
end

function Section.__newindex(section, key, value)
    set(sessions[section], names[section] .. "." .. tostring(key), value)
end

function Section.__tostring(section)
    local name, lines = names[section], {}
    local fields = fields_of(sessions[section], name)
    for _, key in ipairs(keys(fields)) do
        local meaning = meanings[name .. "." .. key]
        lines[#lines + 1] = ("%s.%-16s %-16s %s"):format(name, key, literal(fields[key]),
            meaning and "-- " .. meaning or ""):gsub("%s+$", "")
    end
    return table.concat(lines, "\n")
end

-- net.train is a section, net:train{...} a method.
function Section.__call(section, net, given)
    if names[section] ~= "train" then
        fail("net.%s is no method", names[section])
    end
    return methods.train(net, given)
end

-- A layer, or all that a pattern means.
local Layer = {}

-- The rows a field says something about: weights, or the activation put out.
local function rows_with(list, key)
    local what = (key:sub(1, 2) == "w_" or key == "per_channel") and "weights"
        or key:sub(1, 2) == "a_" and "activation"
    local some = {}
    for _, row in ipairs(list) do
        some[#some + 1] = (not what or row[what]) and row or nil
    end
    return #some > 0 and some or list
end

function Layer.__index(layer, key)
    local list = sessions[layer]:layers(names[layer])
    if not layer_fields[key] then
        fail("unknown field %s.%s%s", names[layer], tostring(key),
            suggest(key, keys(layer_fields)))
    end
    local all = {}
    list = rows_with(list, key)
    for _, row in ipairs(list) do
        if row[key] ~= list[1][key] then
            all.differ = true
        end
        all[row.name] = row[key]
    end
    if not all.differ then
        return list[1][key]
    end
    all.differ = nil
    return all
end

-- Refuse bits of numbers that none of the layers has.
local function check_numbers(layer, key)
    local list = sessions[layer]:layers(names[layer])
    local weights, picture = false, true
    for _, row in ipairs(list) do
        weights = weights or row.weights
        picture = picture and row.name == "image"
    end
    if (key:sub(1, 2) == "w_" or key == "per_channel") and not weights then
        fail("%s: has no weights", brief(names[layer]))
    elseif key:sub(1, 2) == "a_" and picture then
        fail("%s: its codes are the bytes of the picture", brief(names[layer]))
    end
end

function Layer.__newindex(layer, key, value)
    if layer_fields[key] then
        check_numbers(layer, key)
    end
    set_layer(sessions[layer], names[layer], tostring(key), value)
end

-- Its rows of the table, and how it is quantised.
function Layer.__tostring(layer)
    local session, wanted, lines = sessions[layer], {}, {}
    local list = session:layers(names[layer])
    for _, row in ipairs(list) do
        wanted[row.name] = true
    end
    for line in session:table():gmatch("[^\n]+") do
        local word = line:match("^(%S+)")
        if wanted[word] or word == "layer" then
            lines[#lines + 1] = line
        end
    end
    local row, fields = list[1], {}
    for _, key in ipairs(keys(layer_fields)) do
        fields[#fields + 1] = ("%s = %s"):format(key, literal(layer[key]))
    end
    if row.quantizer ~= "none" then
        lines[#lines + 1] = ""
        lines[#lines + 1] = wrapped(fields, ", ", "")
    end
    return table.concat(lines, "\n")
end

return { methods = methods, sessions = sessions, names = names, sections = sections,
    section_fields = section_fields, layer_fields = layer_fields, meanings = meanings,
    Section = Section, Layer = Layer, fail = fail, check = check, keys = keys, sorted = sorted,
    suggest = suggest, set = set, set_layer = set_layer, literal = literal, brief = brief,
    wrapped = wrapped }
