-- Templates: a line that starts with @ is Lua, $(expression) is its value, every other line
-- prints as it is written. One template line becomes one Lua line, so that errors name it.
-- An unknown name or a nil value is an error, and so is text from outside (outside.h) that did
-- not go through one of the escapes.
local template = {}

local function value(v)
    if math.type(v) == "integer" then
        return tostring(v)
    elseif type(v) == "string" then
        return v
    end
    error("$(...) is " .. tostring(v) .. ", want a string or a whole number", 2)
end

local function compile(text)
    local code = {}
    for line in text:gmatch("([^\n]*)\n") do
        local lua = line:match("^%s*@(.*)$")
        if lua then
            code[#code + 1] = lua
        else
            local parts, at = {}, 1
            for first, expression, last in line:gmatch("()$(%b())()") do
                parts[#parts + 1] = ("%q"):format(line:sub(at, first - 1))
                parts[#parts + 1] = "value_" .. expression
                at = last
            end
            parts[#parts + 1] = ("%q"):format(line:sub(at)):sub(1, -2) .. '\\n"'
            code[#code + 1] = "print_(" .. table.concat(parts, " .. ") .. ")"
        end
    end
    return table.concat(code, "\n")
end

-- The first and last line of each part, from the indices of its first and last piece.
local function number_lines(output, parts)
    local line, at = 1, {} -- of each piece, the line it begins on
    for i, piece in ipairs(output) do
        at[i] = line
        local _, ends = piece:gsub("\n", "")
        line = line + ends
    end
    at[#output + 1] = line
    for _, part in ipairs(parts) do
        part.first, part.last = at[part.first], at[part.last + 1] - 1
    end
end

-- Text of the template `main`, which text_of reads, for the names in `data`, and the line map: a list of
-- what templates named in belongs() and once(), each with its first and last line. Templates
-- see `data`, the escapes, the standard library, and include(name), once(name, print),
-- belongs(part), forget_kernels() and what they define themselves.
function template.render(text_of, main, data, escapes)
    local output, kernels, parts, part, variant = {}, {}, {}, nil, 0
    local names = setmetatable({}, {
        __index = function(_, name)
            local found = data[name]
            if found == nil then found = escapes[name] end
            if found == nil then found = _G[name] end
            if found == nil then
                error("unknown name '" .. name .. "'", 2)
            end
            return found
        end,
    })

    names.value_ = value
    function names.print_(line)
        output[#output + 1] = line
    end

    function names.include(name)
        assert(load(compile(text_of("templates/" .. name)), "@templates/" .. name, "t", names))()
    end

    -- Lines from here on are of this part; without one, of none.
    function names.belongs(following)
        if part then
            part.last = #output
            parts[#parts + 1] = part
        end
        part = following
        if part then part.first = #output + 1 end
    end

    -- Print a kernel the first time its name comes up; one name must always mean one text.
    function names.once(name, print, ...)
        assert(not part, "a kernel inside a part")
        local outer = output
        output = {}
        print(...)
        local text = table.concat(output)
        output = outer
        if kernels[name] == nil then
            kernels[name] = text
            names.belongs{ what = "kernel", kernel = name, variant = variant }
            output[#output + 1] = text
            names.belongs()
        end
        assert(kernels[name] == text, "two kernels are called " .. name)
    end

    -- From here on kernels are printed anew: another target's, in another #if branch.
    function names.forget_kernels()
        kernels = {}
        variant = variant + 1
    end

    names.include(main)
    number_lines(output, parts)
    return table.concat(output), parts
end

return template
