-- net:sweep: the net with each of several values of a field.
local native, fields, given_options, show_shown = ...

local sessions, sections, layer_fields = fields.sessions, fields.sections, fields.layer_fields
local fail, check, keys, suggest = fields.fail, fields.check, fields.keys, fields.suggest
local options, text, file_name, session_of, seconds = given_options.options,
    given_options.text, given_options.file_name, given_options.session_of,
    given_options.seconds

-- "w_bits", "s2*.w_bits", "train.lr": what a sweep sets.
local function setter(session, field)
    local prefix, name = field:match("^(.*)%.([^.]*)$")
    if prefix == nil then
        prefix, name = "quant", field
    end
    if sections[prefix] then
        return function(value)
            fields.set(session, prefix .. "." .. name, value)
        end
    end
    return function(value)
        fields.set_layer(session, prefix, name, value)
    end
end

local Rows = {}

local function row_text(width, value, ...)
    return (" "):rep(width - #value) .. value .. ("  %8s  %10s  %8s  %s"):format(...)
end

local function value_text(value)
    return type(value) == "table" and fields.literal(value) or tostring(value)
end

function Rows.__tostring(rows)
    local lines = { row_text(rows.width, rows.field, "accuracy", "size", "time", "weights") }
    lines[2] = rows.float and tostring(rows.float)
    for _, row in ipairs(rows) do
        lines[#lines + 1] = tostring(row)
    end
    return table.concat(lines, "\n")
end

local Row = {}

function Row.__tostring(row)
    return row_text(row.width, value_text(row.value), ("%.4f"):format(row.accuracy),
        ("%.1f KB"):format(row.bytes / 1000), seconds(row.seconds), row.weights)
end

-- Accuracy over size where that differs, otherwise over the values.
local function by_size(rows, x)
    if x ~= nil then
        return x == "size"
    end
    for _, row in ipairs(rows) do
        if row.bytes ~= rows[1].bytes then
            return true
        end
    end
    return false
end

local function plot(net, rows, o)
    local x, y, labels, size = {}, {}, {}, by_size(rows, o.x)
    for i, row in ipairs(rows) do
        x[i] = size and row.bytes / 1000 or tonumber(row.value) or i
        y[i] = row.accuracy
        labels[i] = value_text(row.value)
    end
    local name = sessions[net]:info().name
    local file = o.file
    if file == nil then
        check(native.make_folder("out/repl"))
        file = ("out/repl/%s_%s.png"):format(name, rows.field:gsub("[^%w_]", "_"))
    end
    check(native.plot(file, ("%s %s"):format(name, rows.field),
        size and "weights, KB" or rows.field, "accuracy",
        { { x = x, y = y, labels = size and labels or nil } },
        rows.float and rows.float.accuracy))
    print("picture: " .. native.shown(native.shorter(file)))
end

local function check_arguments(field, values, o)
    text("sweep", field, 'a field such as "w_bits" or "s2*.w_bits"')
    if type(values) ~= "table" or #values == 0 then
        fail("sweep: want a list of values, such as { 8, 4, 2 }")
    elseif o.x ~= nil and o.x ~= "size" and o.x ~= "value" then
        fail('sweep: x: want "value" or "size"')
    elseif o.file ~= nil then
        file_name("sweep: file", o.file, ".png")
    end
    local pattern = field:match("^(.*)%.[^.]*$")
    if pattern == nil and not layer_fields[field] then
        fail("sweep: unknown field %s%s", fields.brief(field), suggest(field, keys(layer_fields)))
    end
end

-- Each value once, so that a mistake is said before anything is evaluated; and whether
-- evaluation looks at the field at all.
local function try_values(session, field, values, change)
    local before, seen = session:info(), false
    for _, value in ipairs(values) do
        check(session:unchanged(function()
            change(value)
            local after = session:info()
            seen = seen or after.signature ~= before.signature or after.hash == before.hash
        end))
    end
    if not seen then
        fail("sweep: %s: evaluation does not look at it, training does", fields.brief(field))
    end
end

-- The float network, where there are its weights.
local function evaluate_float(net, o)
    local session = sessions[net]
    if not session:info().float_weights then
        return nil
    end
    local score
    check(session:unchanged(function()
        check(session:set("quant", 'quant={ quantizer = "none" }'))
        score = net:eval{ images = o.images, quiet = true }
    end))
    return score
end

local function evaluate(net, change, value, o)
    local row
    check(sessions[net]:unchanged(function()
        change(value)
        if o.ptq then
            net:ptq{ images = o.ptq ~= true and o.ptq or nil, quiet = true }
        end
        row = net:eval{ images = o.images, calibrate = o.calibrate, quiet = true }
    end))
    return row
end

function fields.methods.sweep(net, field, values, given)
    local session = session_of(net, "sweep")
    local o = options("sweep", given, { "images", "calibrate", "ptq", "file", "x" })
    check_arguments(field, values, o)
    local change = setter(session, field)
    local rows = setmetatable({ field = field, width = math.max(12, #field) }, Rows)
    for _, value in ipairs(values) do
        rows.width = math.max(rows.width, #value_text(value))
    end
    local function add(value, row, where)
        row.value, row.width = value, rows.width
        rows[where] = setmetatable(row, Row)
        print(row)
    end
    try_values(session, field, values, change)
    print(tostring(rows))
    local float = evaluate_float(net, o)
    if float then
        add("float", float, "float")
    end
    for i, value in ipairs(values) do
        add(value, evaluate(net, change, value, o), i)
    end
    plot(net, rows, o)
    show_shown(rows)
    return rows
end
