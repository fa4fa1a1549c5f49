-- Words of the config language that are easier said in Lua than in C; see words.c for the
-- layers. Runs inside the sandbox, once per file, with that file's globals.

-- A family of networks: `defaults` names every field a description may set, `layers` among
-- them, the function that lays the layers out. Returns a function from fields to description.
function family(defaults)
    if type(defaults) ~= "table" then
        error("family: want a table of fields, got " .. type(defaults), 2)
    end
    return function(given)
        if type(given) ~= "table" then
            error("want a table of fields, got " .. type(given), 2)
        end
        local net = { _family = defaults }
        for name, value in pairs(defaults) do
            net[name] = value
        end
        for name, value in pairs(given) do
            net[name] = value
        end
        return net
    end
end

-- In key order, so that the same config means the same network on every run.
function pairs(table)
    if type(table) ~= "table" then
        error("pairs: want a table, got " .. type(table), 2)
    end
    local keys, i = sorted_keys(table), 0
    return function()
        i = i + 1
        if keys[i] ~= nil then
            return keys[i], table[keys[i]]
        end
    end
end

-- Written here because the library's walks any length a table claims to have, in one step.
function table.insert(list, value)
    list[#list + 1] = value
end
