-- The net of a session: methods that work on it, and its names. Everything is done by the C
-- side (native); here are options and what is printed.
local native, root, fields, show_shown = ...

local sessions, names, sections, section_fields, layer_fields = fields.sessions, fields.names,
    fields.sections, fields.section_fields, fields.layer_fields
local fail, check, keys, suggest = fields.fail, fields.check, fields.keys, fields.suggest
local first = setmetatable({}, { __mode = "k" }) -- session -> depth when it was opened

local Net, Meta = fields.methods, {} -- its methods and its metatable

-- ---- Methods ----

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
    return sessions[net] or fail("call it as net:%s(...), with a colon", method)
end

local function seconds(value)
    return ("%.2f s"):format(value)
end

local Score = {}

function Score.__tostring(score)
    return ("accuracy %.4f (%d/%d)  size %.1f KB  %s  [%s]"):format(score.accuracy,
        score.correct, score.images, score.bytes / 1000, seconds(score.seconds), score.weights)
end

local calibration = 32 -- training images: more change accuracy by 0.1 %, and take their time

function Net.eval(net, given)
    local session = session_of(net, "eval")
    local o = options("eval", given, { "images", "calibrate", "quiet" })
    local score = check(session:evaluate(whole("eval", o, "images", 0),
        whole("eval", o, "calibrate", calibration)))
    setmetatable(score, Score)
    if not o.quiet then
        print(score)
        show_shown(score)
    end
    return score
end

function Net.ptq(net, given)
    local session = session_of(net, "ptq")
    local o = options("ptq", given, { "images", "quiet" })
    local result = check(session:ptq(whole("ptq", o, "images", 512), not o.quiet))
    if not o.quiet then
        local right = result.float
            and ("float %.4f, quantised %.4f"):format(result.float, result.quantised)
            or ("(no labels) %.4f as the float network says"):format(result.quantised)
        print(("on the %d calibration images %s; weakest signal at %s, %.1f dB"):format(
            result.images, right, result.worst, result.worst_decibels))
        show_shown(result)
    end
    return result
end

function Net.train(net, given)
    local session = session_of(net, "train")
    local known = { "epochs", "steps", "resume", "output", table.unpack(section_fields.train) }
    local o = options("train", given, known)
    local sets = {}
    for _, name in ipairs(section_fields.train) do
        if o[name] ~= nil and name ~= "epochs" then
            local path = "train." .. name
            sets[#sets + 1] = path .. "=" .. fields.literal(o[name], path)
        end
    end
    if o.resume ~= nil and type(o.resume) ~= "boolean" then
        fail("train: resume: %s, want true or false", type(o.resume))
    elseif o.output ~= nil then
        text("train: output", o.output, "a folder")
    end
    local folder = "out/repl/" .. session:info().name
    local signal = check(session:train{ output = o.output or folder,
        epochs = whole("train", o, "epochs", 0), steps = whole("train", o, "steps", 0),
        resume = o.resume and true or false, sets = sets })
    print("these weights are in use now; net:undo() goes back to those before")
    if signal ~= 0 then
        native.interrupted(signal)
    end
end

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
    for i, row in ipairs(rows) do
        lines[i + 1] = tostring(row)
    end
    return table.concat(lines, "\n")
end

local Row = {}

function Row.__tostring(row)
    return row_text(row.width, value_text(row.value), ("%.4f"):format(row.accuracy),
        ("%.1f KB"):format(row.bytes / 1000), seconds(row.seconds), row.weights)
end

local function plot(net, rows, o)
    local x, y, labels, by_size = {}, {}, {}, o.x == "size"
    for i, row in ipairs(rows) do
        x[i] = by_size and row.bytes / 1000 or tonumber(row.value) or i
        y[i] = row.accuracy
        labels[i] = value_text(row.value)
    end
    local name = sessions[net]:info().name
    local file = o.file
    if file == nil then
        check(native.make_folder("out/repl"))
        file = ("out/repl/%s_%s.png"):format(name, rows.field:gsub("[^%w_]", "_"))
    end
    check(native.plot(file, ("%s %s"):format(name, rows.field), by_size and "KB" or rows.field,
        "accuracy", x, y, by_size and labels or nil))
    print("picture: " .. native.shown(native.shorter(file)))
end

function Net.sweep(net, field, values, given)
    local session = session_of(net, "sweep")
    text("sweep", field, 'a field such as "w_bits" or "s2*.w_bits"')
    if type(values) ~= "table" or #values == 0 then
        fail("sweep: want a list of values, such as { 8, 4, 2 }")
    end
    local o = options("sweep", given, { "images", "calibrate", "ptq", "file", "x" })
    if o.x ~= nil and o.x ~= "size" and o.x ~= "value" then
        fail('sweep: x: want "value" or "size"')
    end
    if o.file ~= nil then
        file_name("sweep: file", o.file, ".png")
    end
    if not field:find(".", 1, true) and not layer_fields[field] then
        fail("sweep: unknown field %s%s", fields.brief(field), suggest(field, keys(layer_fields)))
    end
    local change, depth = setter(session, field), session:depth()
    local rows = setmetatable({ field = field, width = math.max(12, #field) }, Rows)
    for _, value in ipairs(values) do
        change(value)
        check(session:back(depth))
        rows.width = math.max(rows.width, #value_text(value))
    end
    print(tostring(rows))
    local ok, message = pcall(function()
        for i, value in ipairs(values) do
            change(value)
            if o.ptq then
                net:ptq{ images = o.ptq ~= true and o.ptq or nil, quiet = true }
            end
            local row = net:eval{ images = o.images, calibrate = o.calibrate, quiet = true }
            row.value, row.width = value, rows.width
            rows[i] = setmetatable(row, Row)
            print(row)
            check(session:back(depth))
        end
    end)
    check(session:back(depth))
    if not ok then
        error(message, 0)
    end
    plot(net, rows, o)
    show_shown(rows)
    return rows
end

function Net.load_weights(net, path)
    local session = session_of(net, "load_weights")
    check(session:load_weights(text("load_weights", path, "a checkpoint")))
end

function Net.use_data(net, path)
    check(session_of(net, "use_data"):use_data(text("use_data", path, "a folder of images")))
end

function Net.save(net, path, given)
    local session = session_of(net, "save")
    local o = options("save", given, { "overwrite" })
    local how = check(session:save(text("save", path, "a file such as my.lua"), o.overwrite))
    print(native.shown(path) .. (how == "beside" and ": the changes, on top of " or ": the changes and all of ")
        .. session:info().path)
end

function Net.save_weights(net, path)
    check(session_of(net, "save_weights"):save_weights(file_name("save_weights",
        path, ".ckpt")))
    print(native.shown(path) .. ": the weights in use")
end

function Net.emit(net, path)
    check(session_of(net, "emit"):emit(file_name("emit", path, ".c")))
    print(native.shown(path) .. ": build it with cc -O3 -c; -DLATHE_MAIN adds a main")
end

function Net.source(net, layer, program)
    local session = session_of(net, "source")
    text("source", layer, "a layer's name")
    check(session:source(layer, text("source", program or "evaluate", "a program")))
end

function Net.layers(net)
    local list = {}
    for i, row in ipairs(session_of(net, "layers"):layers("*")) do
        list[i] = row.name
    end
    return list
end

function Net.changes(net)
    return session_of(net, "changes"):sets()
end

function Net.hash(net)
    return session_of(net, "hash"):info().hash
end

function Net.undo(net, ...)
    local session = session_of(net, "undo")
    if select("#", ...) > 0 then
        fail("undo: takes no argument, and one change back")
    end
    if session:depth() <= first[session] then
        fail("there is nothing to undo")
    end
    check(session:back(session:depth() - 1))
end

function Net.reset(net)
    local session = session_of(net, "reset")
    check(session:reset(first[session]))
end

-- ---- The net ----

local function part(session, meta, name)
    local proxy = setmetatable({}, meta)
    sessions[proxy], names[proxy] = session, name
    return proxy
end

local function names_of(net)
    local all = net:layers()
    for _, list in ipairs{ keys(sections), keys(layer_fields), keys(Net) } do
        table.move(list, 1, #list, #all + 1, all)
    end
    return all
end

function Meta.__index(net, key)
    local session = sessions[net]
    if sections[key] then
        return part(session, fields.Section, key)
    elseif Net[key] then
        return Net[key]
    elseif layer_fields[key] then
        return session:section("quant")[key]
    elseif type(key) == "string" and #session:layers(key) > 0 then
        return part(session, fields.Layer, key)
    end
    fail("unknown name net.%s%s", fields.brief(key), suggest(key, names_of(net)))
end

function Meta.__newindex(net, key, value)
    local session = sessions[net]
    if sections[key] then
        fields.set(session, key, value)
    elseif layer_fields[key] then
        fields.set(session, "quant." .. key, value)
    elseif type(key) == "string" and #session:layers(key) > 0 then
        fail("%s: set one of its fields, such as net[%q].w_bits", key, key)
    else
        fail("unknown name net.%s%s", fields.brief(key), suggest(key, names_of(net)))
    end
end

function Meta.__tostring(net)
    local changes, lines = net:changes(), { (sessions[net]:table():gsub("\n$", "")) }
    for _, change in ipairs(changes) do
        lines[#lines + 1] = "changed: " .. change
    end
    lines[#lines + 1] = "weights: " .. sessions[net]:info().weights
    return table.concat(lines, "\n")
end

local function open(path, given)
    text("open", path, "a config such as configs/resnet20_int4_cifar10.lua")
    if given ~= nil and type(given) ~= "table" then
        fail('open: %s, want a table such as { weights = "float.ckpt" }', type(given))
    end
    local o = options("open", given, { "weights", "data", "set" })
    local sets = {}
    if o.set ~= nil and type(o.set) ~= "table" then
        fail('open: set: %s, want a table such as { "quant.w_bits=4" }', type(o.set))
    end
    for key, value in pairs(o.set or {}) do
        if type(key) ~= "number" then
            sets[#sets + 1] = tostring(key) .. "=" .. fields.literal(value, key)
        end
    end
    fields.sorted(sets)
    for _, set in ipairs(o.set or {}) do
        sets[#sets + 1] = text("open: set", set, 'texts such as "quant.w_bits=4"')
    end
    collectgarbage() -- a net nobody has any more has images and code, which Lua does not see
    local session = check(native.open(path, sets))
    if o.weights then
        check(session:load_weights(text("open", o.weights, "a checkpoint")))
    end
    if o.data then
        check(session:use_data(text("open", o.data, "a folder of images")))
    end
    first[session] = session:depth()
    return part(session, Meta, path)
end

-- Names that may follow "value." or "value:"; nil when value is none of ours.
local function members(value, separator)
    local meta = getmetatable(value)
    if meta == Meta then
        return separator == ":" and keys(Net) or names_of(value)
    elseif meta == fields.Section then
        return section_fields[names[value]]
    elseif meta == fields.Layer then
        return keys(layer_fields)
    end
end

local function layers_of(value)
    return getmetatable(value) == Meta and value:layers() or nil
end

return { open = open, members = members, layers_of = layers_of }
