-- What a method of a session's net was given: the net, options, values of them.
local native, fields, printer = ...

local fail, suggest = fields.fail, fields.suggest

-- A method's options: a table of known names, or the first one's value.
local function options(method, given, known)
    if given == nil then
        return {}
    elseif type(given) ~= "table" then
        return { [known[1]] = given }
    end
    local is_known = {}
    for _, name in ipairs(known) do
        is_known[name] = true
    end
    for key in pairs(given) do
        if not is_known[key] then
            fail("%s: unknown option %s%s", method, tostring(key), suggest(key, known))
        end
    end
    return given
end

local function whole(method, options, name, otherwise, least)
    local value = options[name]
    if value == nil then
        return otherwise
    elseif math.type(value) ~= "integer" or value < (least or 1) or value > 1 << 30 then
        fail("%s: %s: %s, want a whole number from %d", method, name, tostring(value), least or 1)
    end
    return value
end

local function text(method, value, what)
    if type(value) ~= "string" or value == "" then
        fail("%s: want %s, got %s", method, what, type(value) == "string" and '""' or type(value))
    end
    return value
end

-- A file's name with its ending, such as ".png".
local function file_name(method, value, ending)
    if text(method, value, "a file such as my" .. ending):sub(-#ending) ~= ending then
        fail("%s: %s: want a file whose name ends in %s", method, value, ending)
    end
    return value
end

local function session_of(net, method)
    return fields.sessions[net] or fail("call it as net:%s(...), with a colon", method)
end

local asks = false -- whether somebody is there to ask

local function at_prompt()
    asks = true
end

-- Whether the method may write the file; an error, or an answer, when it may not.
local function may_write(method, path, overwrite)
    if overwrite ~= nil and type(overwrite) ~= "boolean" then
        fail("%s: overwrite: %s, want true or false", method, type(overwrite))
    elseif overwrite or not native.exists(path) then
        return true
    elseif not asks then
        fail("%s: exists; net:%s(FILE, { overwrite = true }) replaces it", path, method)
    end
    io.write(native.shown(path), " exists; replace it? [y/N] ")
    io.flush()
    local answer = io.read() or ""
    local yes = answer:lower() == "y" or answer:lower() == "yes"
    if not yes then
        print("nothing written")
    end
    return yes
end

local function seconds(value)
    return ("%.2f s"):format(value)
end

return { options = options, whole = whole, text = text, file_name = file_name,
    session_of = session_of, seconds = seconds, may_write = may_write, page = printer.page,
    at_prompt = at_prompt }
