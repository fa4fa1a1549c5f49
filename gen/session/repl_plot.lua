-- plot(FILE.png, SERIES, NAMES): a picture of what a script has measured.
local native, fields, given_options = ...

local fail, check = fields.fail, fields.check
local options, file_name = given_options.options, given_options.file_name

local function check_list(series, name, kind, count)
    local list = series[name]
    if type(list) ~= "table" or #list ~= count then
        fail("plot: %s: want a list of %d %ss", name, count, kind)
    end
    for i = 1, count do
        if type(list[i]) ~= kind then
            fail("plot: %s[%d]: %s, want a %s", name, i, type(list[i]), kind)
        end
    end
end

local function check_series(series)
    if type(series) ~= "table" or type(series.x) ~= "table" or #series.x == 0 then
        fail("plot: want a list of series, such as { { x = { 1, 2 }, y = { 3, 4 } } }")
    end
    options("plot", series, { "x", "y", "name", "labels" })
    check_list(series, "x", "number", #series.x)
    check_list(series, "y", "number", #series.x)
    if series.labels ~= nil then
        check_list(series, "labels", "string", #series.x)
    end
    if series.name ~= nil and type(series.name) ~= "string" then
        fail("plot: name: %s, want a string", type(series.name))
    end
end

return function(file, list, names)
    file_name("plot", file, ".png")
    if type(list) ~= "table" or #list == 0 then
        list = { {} } -- the error says what is wanted
    end
    for _, series in ipairs(list) do
        check_series(series)
    end
    local o = options("plot", names, { "title", "x", "y", "log" })
    for name, value in pairs(o) do
        local kind = name == "log" and "boolean" or "string"
        if type(value) ~= kind then
            fail("plot: %s: %s, want a %s", name, type(value), kind)
        end
    end
    check(native.plot(file, o.title or "", o.x or "", o.y or "", list, nil, o.log))
    print("picture: " .. native.shown(native.shorter(file)))
end
