-- Templates: a line that starts with @ is Lua, $(expression) is its value, every other line
-- prints as it is written. One template line becomes one Lua line, so that errors name it.
-- An unknown name or a nil value is an error.
local template = {}

local function value(v)
    if math.type(v) == "integer" then
        return tostring(v)
    elseif type(v) == "string" then
        return v
    end
    error("$(...) is " .. tostring(v) .. ", want a string or a whole number", 2)
end

local function compile(path)
    local code = {}
    for line in io.lines(path) do
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
            parts[#parts + 1] = ("%q"):format(line:sub(at))
            code[#code + 1] = "print_(" .. table.concat(parts, ", ") .. ")"
        end
    end
    return table.concat(code, "\n")
end

-- Text of the template `main` in `folder` for the names in `data`. Templates see `data`, the
-- standard library, and include(name), once(name, print), forget_kernels() and what they define
-- themselves.
function template.render(folder, main, data)
    local output, kernels = {}, {}
    local names = setmetatable({}, {
        __index = function(_, name)
            local found = data[name]
            if found == nil then
                found = _G[name]
            end
            if found == nil then
                error("unknown name '" .. name .. "'", 2)
            end
            return found
        end,
    })

    names.value_ = value
    function names.print_(...)
        for i = 1, select("#", ...) do
            output[#output + 1] = (select(i, ...))
        end
        output[#output + 1] = "\n"
    end

    function names.include(name)
        local path = folder .. "/" .. name
        assert(load(compile(path), "@templates/" .. name, "t", names))()
    end

    -- Print a kernel the first time its name comes up; one name must always mean one text.
    function names.once(name, print, ...)
        local outer = output
        output = {}
        print(...)
        local text = table.concat(output)
        output = outer
        if kernels[name] == nil then
            kernels[name] = text
            output[#output + 1] = text
        end
        assert(kernels[name] == text, "two kernels are called " .. name)
    end

    -- From here on kernels are printed anew: another target's, in another #if branch.
    function names.forget_kernels()
        kernels = {}
    end

    names.include(main)
    return table.concat(output)
end

return template
