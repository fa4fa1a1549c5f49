-- Functions of Lua's libraries that wait, or would run long in one call of C, where the hook
-- that Ctrl-C sets cannot be. Strings, tables and finalisers are in C.
local waiting, handling, interrupted = ...

local files = debug.getmetatable(io.stdout).__index -- methods of files
local stdout = io.stdout

-- ---- Waiting for files and programs ----

local function wait_in(library, ...)
    for _, name in ipairs{ ... } do
        library[name] = waiting(name, library[name])
    end
end

wait_in(io, "open", "popen", "read", "close")
wait_in(files, "read", "close")
wait_in(debug, "debug")
wait_in(_G, "loadfile")

-- The functions that give a line each time they are called.
local function wait_for_lines(library)
    local lines = library.lines
    library.lines = waiting("lines", function(...)
        local results = table.pack(lines(...))
        results[1] = waiting("lines", results[1])
        return table.unpack(results, 1, results.n)
    end)
end

wait_for_lines(io)
wait_for_lines(files)

function dofile(path)
    local chunk, message = loadfile(path)
    if not chunk then
        error(message, 0)
    end
    return chunk()
end

-- While it waits for a program, Ctrl-C is the program's alone; so what became of that says it.
local execute = os.execute
os.execute = waiting("execute", function(...)
    local results = table.pack(execute(...))
    local how, number = results[2], results[3]
    if how == "signal" and number == 2 or how == "exit" and number == 130 then
        interrupted()
    end
    return table.unpack(results, 1, results.n)
end)

-- ---- Writing in pieces ----

local piece = 1 << 16

local write = waiting("write", files.write)

local function write_pieces(file, text)
    for i = 1, math.max(#text, 1), piece do
        local ok, message, code = write(file, text:sub(i, i + piece - 1))
        if not ok then
            return ok, message, code
        end
    end
    return file
end

function files.write(file, ...)
    for i = 1, select("#", ...) do
        local text = select(i, ...)
        local ok, message, code
        if type(text) ~= "string" or #text <= piece then
            ok, message, code = write(file, text)
        else
            ok, message, code = write_pieces(file, text)
        end
        if not ok then
            return ok, message, code
        end
    end
    return file
end

function io.write(...)
    return io.output():write(...)
end

function print(...)
    local words = table.pack(...)
    for i = 1, words.n do
        words[i] = tostring(words[i])
    end
    stdout:write(table.concat(words, "\t"), "\n")
end

-- ---- Besides ----

local call_with_handler = xpcall

function xpcall(called, handler, ...)
    if type(handler) ~= "function" then
        error(("bad argument #2 to 'xpcall' (function expected, got %s)"):format(
            type(handler)), 2)
    end
    return call_with_handler(called, handling(handler), ...)
end

-- A reader may go on for ever; it is called here, its text loaded as a whole.
local load_text = load

load = waiting("load", function(chunk, name, ...)
    if type(chunk) == "string" then
        return load_text(chunk, name, ...)
    elseif type(chunk) ~= "function" then
        error(("bad argument #1 to 'load' (function expected, got %s)"):format(type(chunk)), 0)
    end
    local pieces = {}
    local ok, message = pcall(function()
        for text in chunk do
            if type(text) ~= "string" then
                error("reader function must return a string", 0)
            elseif text == "" then
                break
            end
            pieces[#pieces + 1] = text
        end
    end)
    if not ok then
        return nil, message
    end
    return load_text(table.concat(pieces), name or "=(load)", ...)
end)

function debug.sethook()
    error("debug.sethook: the hook is the session's, for Ctrl-C", 2)
end
