-- The session around a net: prompt, printing of values, completion, scripts. The C side gives
-- `native` (repl_net.c and cmd_repl.c) and calls what this returns.
local native, root = ...

local shown -- a result that a method printed itself during this command

local function load_part(name, ...)
    return assert(loadfile(("%s/gen/session/%s.lua"):format(root, name), "t"))(...)
end

local printer = load_part("repl_print", native)
local paint = printer.paint
local fields = load_part("repl_fields", native, root)
local options = load_part("repl_options", native, fields, printer)
local function show_shown(result)
    shown = result
end
local nets = load_part("repl_net", native, fields, options, show_shown)
load_part("repl_sweep", native, fields, options, show_shown)
local plot_series = load_part("repl_plot", native, fields, options)
local about = load_part("repl_about", native, fields, nets, printer)
local complete = load_part("repl_complete", native, nets)

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
    io.stderr:write(paint("error", "error: ") .. native.shown(plain(message, text)) .. "\n")
end

-- Names that a line read and that nothing has: nil, as always in Lua, but said.
local unknown = {}

setmetatable(_G, { __index = function(_, name)
    local reader = debug.getinfo(2, "S")
    if reader and reader.source == "=prompt" and type(name) == "string" then
        unknown[#unknown + 1] = name
    end
    return nil
end })

local function tell_unknown()
    local told = {}
    for _, name in ipairs(unknown) do
        if rawget(_G, name) == nil and not told[name] then
            told[name] = true
            io.stdout:flush()
            io.stderr:write(paint("note", "note: "), name, " is no name here",
                fields.suggest(name, fields.keys(_G)), "\n")
        end
    end
    unknown = {}
end

local function run(chunk, text, timed)
    shown = nil
    local start = native.now()
    local results = table.pack(native.guard(chunk))
    tell_unknown()
    if not results[1] then
        complain(results[2], text)
        return false
    end
    for i = 2, results.n do
        if results[i] ~= nil and not rawequal(results[i], shown) or results.n > 2 then
            local ok, message = native.guard(function()
                printer.show(results[i])
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

-- ? and ? WORD are help; what NAME? is about, repl_about.lua says.
local function question(text)
    local path = about.path(text)
    if path then
        return function()
            about.tell(path)
        end
    end
    local topic = text:match("^%s*%?%s*(.-)%s*$")
    return topic and function()
        help(topic ~= "" and topic or nil)
    end
end

-- Lines from `read` until they end. True when all went well.
local function session(read, timed)
    local text, good = nil, true
    if timed then
        options.at_prompt()
        printer.at_prompt()
    end
    while true do
        local line = read(text and ">> " or "> ")
        if line == nil or not text and (line == "exit" or line == "quit") then
            break
        end
        if line == false then -- given up with Ctrl-C
            text = nil
        else
            local chunk, message = not text and question(line) or nil, nil
            text = text and text .. "\n" .. line or line
            if not chunk then
                chunk, message = compile(text)
            end
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

-- ---- What the C side calls ----

-- The names of a session: defaults are the command line's --weights and --data.
local function begin(defaults)
    help = load_part("repl_help", printer)
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
    lathe.plot = plot_series
    open, plot = lathe.open, lathe.plot
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
