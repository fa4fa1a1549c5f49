-- NAME? at the prompt: what a name is, with its documentation.
local native, fields, nets, printer = ...

local about = {}

-- What is asked about, or nil: "net.s2b0_conv1?", "net:eval?", 'net["s3*"]?'.
function about.path(text)
    local path = text:match("^%s*([%a_][^%s?=(){}]*)%s*%?%s*$")
    return path and load("return " .. path:gsub(":([%w_]+)$", ".%1"), "=prompt", "t") and path
end

local function of_function(name, value)
    if help(name, true) then
        help(name)
        return
    end
    local info = debug.getinfo(value, "S")
    local where = info.what == "C" and "of C"
        or ("%s:%d"):format(info.short_src, info.linedefined)
    print(("%s: a function, %s"):format(name, where))
end

local function of_field(path, value)
    local section, name = path:match("([%w_]+)%.([%w_]+)$")
    local meaning = name and (fields.meanings[section .. "." .. name]
        or fields.meanings["quant." .. name])
    local line = ("%s = %s"):format(path, printer.describe(value))
    print(meaning and line .. "  " .. printer.paint("comment", "-- " .. meaning) or line)
end

function about.tell(path)
    local name = path:match("[%w_]+$")
    local value = load("return " .. path:gsub(":([%w_]+)$", ".%1"), "=prompt", "t")()
    local page = nets.about(value)
    if page then
        printer.page(printer.decorate(page))
    elseif type(value) == "function" then
        of_function(name, value)
    elseif path:find(".", 1, true) then
        of_field(path, value)
    else
        print(("%s: a %s"):format(path, type(value)))
        printer.show(value)
    end
end

return about
