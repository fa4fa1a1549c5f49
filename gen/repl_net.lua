-- The net of a session: layers and fields to read and set, methods that work on it. Everything
-- is done by the C side (native); here are names, options and what is printed.
local native, root, show_shown = ...

local sessions = setmetatable({}, { __mode = "k" }) -- net, section or layer -> session
local names = setmetatable({}, { __mode = "k" })    -- section or layer -> its name or pattern
local first = setmetatable({}, { __mode = "k" })    -- session -> depth when it was opened
local own = "@" .. root .. "/gen/repl"

-- An error at the user's line, not in here.
local function fail(message, ...)
    local level, place = 2, ""
    local info
    repeat
        level = level + 1
        info = debug.getinfo(level, "Sl")
    until not info or (info.currentline > 0 and info.source:sub(1, #own) ~= own)
    if info and info.source ~= "=prompt" then
        place = ("%s:%d: "):format(info.short_src, info.currentline)
    end
    error(place .. message:format(...), 0)
end

local function check(value, message)
    if value == nil then
        fail("%s", message)
    end
    return value
end

local function sorted(list)
    table.sort(list)
    return list
end

local function keys(t)
    local list = {}
    for key in pairs(t) do
        list[#list + 1] = key
    end
    return sorted(list)
end

local function suggest(word, list)
    local nearest = type(word) == "string" and native.nearest(word, list)
    return nearest and ("; did you mean %s?"):format(nearest) or ""
end

local Net, Meta = {}, {} -- its methods and its metatable

-- ---- Fields ----

local sections = { net = true, data = true, train = true, quant = true }
local section_fields = { net = {}, data = { "classes", "mean", "std" }, train = { "milestones" },
    quant = { "layers" } }
local layer_fields, meanings = {}, {}
for _, field in ipairs(native.fields()) do
    table.insert(section_fields[field.section], field.name)
    meanings[field.section .. "." .. field.name] = field.meaning
    if field.of_layer then
        layer_fields[field.name] = true
    end
end

local function field_key(key)
    return key:match("^[%a_][%w_]*$") or ("[%q]"):format(key)
end

-- A Lua value as the text of it.
local function literal(value)
    local kind = type(value)
    if kind == "number" and value ~= value or value == math.huge or value == -math.huge then
        fail("%s cannot be a field's value", tostring(value))
    elseif math.type(value) == "float" then
        local short = ("%.15g"):format(value)
        return tonumber(short) == value and short or ("%.17g"):format(value)
    elseif kind == "string" then
        return (("%q"):format(value):gsub("\n", "n"))
    elseif kind ~= "table" then
        return tostring(value)
    end
    local parts = {}
    for i, item in ipairs(value) do
        parts[i] = literal(item)
    end
    local named = {}
    for key in pairs(value) do
        if type(key) == "string" then
            named[#named + 1] = key
        end
    end
    for _, key in ipairs(sorted(named)) do
        parts[#parts + 1] = field_key(key) .. " = " .. literal(value[key])
    end
    return #parts > 0 and "{ " .. table.concat(parts, ", ") .. " }" or "{}"
end

-- An override; a net in floats is told how it is quantised.
local function override(session, key, text)
    local ok, message = session:set(key, text)
    if not ok and message:find("quant.quantizer is missing", 1, true) then
        message = message:gsub(";.*", "") .. '; first, net.quant.quantizer = "uniform_static"'
    end
    check(ok, message)
end

local function set(session, path, value)
    override(session, path, path .. "=" .. literal(value))
end

local function set_layer(session, pattern, field, value)
    local entry = ("{ %q, %s = %s }"):format(pattern, field_key(field), literal(value))
    override(session, pattern .. "." .. field, "quant.layers+=" .. entry)
end

-- What "data.mean={1,2}" says behind the sign.
local function parse(text)
    if text == "true" or text == "false" then
        return text == "true"
    elseif text:sub(1, 1) == "{" then
        local list = {}
        for number in text:gmatch("[^{},]+") do
            list[#list + 1] = tonumber(number)
        end
        return list
    end
    return tonumber(text) or text
end

-- A section's fields by name, with defaults.
local function fields_of(session, name)
    local fields = session:section(name)
    for line in session:info().lines:gmatch("[^\n]+") do
        local section, key, value = line:match("^(%w+)%.([%w_]+)=(.*)$")
        if section == name and key ~= "layers" then
            fields[key] = fields[key] == nil and parse(value) or fields[key]
        end
    end
    return fields
end

local Section = {}

function Section.__index(section, key)
    local session, name = sessions[section], names[section]
    local fields = fields_of(session, name)
    if name == "quant" and key == "layers" then
        fail('quant.layers: read the layers themselves, such as net["stem"].w_bits')
    elseif fields[key] == nil then
        fail("unknown field %s.%s%s", name, tostring(key), suggest(key, keys(fields)))
    end
    return fields[key]
end

function Section.__newindex(section, key, value)
    set(sessions[section], names[section] .. "." .. tostring(key), value)
end

function Section.__tostring(section)
    local name, lines = names[section], {}
    local fields = fields_of(sessions[section], name)
    for _, key in ipairs(keys(fields)) do
        local meaning = meanings[name .. "." .. key]
        lines[#lines + 1] = ("%s.%-16s %-16s %s"):format(name, key, literal(fields[key]),
            meaning and "-- " .. meaning or ""):gsub("%s+$", "")
    end
    return table.concat(lines, "\n")
end

-- net.train is a section, net:train{...} a method.
function Section.__call(section, net, given)
    if names[section] ~= "train" then
        fail("net.%s is no method", names[section])
    end
    return Net.train(net, given)
end

-- A layer, or all that a pattern means.
local Layer = {}

-- The rows a field says something about: weights, or the activation put out.
local function rows_with(list, key)
    local what = (key:sub(1, 2) == "w_" or key == "per_channel") and "weights"
        or key:sub(1, 2) == "a_" and "activation"
    local some = {}
    for _, row in ipairs(list) do
        some[#some + 1] = (not what or row[what]) and row or nil
    end
    return #some > 0 and some or list
end

function Layer.__index(layer, key)
    local list = sessions[layer]:layers(names[layer])
    if not layer_fields[key] then
        fail("unknown field %s.%s%s", names[layer], tostring(key),
            suggest(key, keys(layer_fields)))
    end
    local all = {}
    list = rows_with(list, key)
    for _, row in ipairs(list) do
        if row[key] ~= list[1][key] then
            all.differ = true
        end
        all[row.name] = row[key]
    end
    if not all.differ then
        return list[1][key]
    end
    all.differ = nil
    return all
end

function Layer.__newindex(layer, key, value)
    set_layer(sessions[layer], names[layer], tostring(key), value)
end

-- Its rows of the table, and how it is quantised.
function Layer.__tostring(layer)
    local session, wanted, lines = sessions[layer], {}, {}
    local list = session:layers(names[layer])
    for _, row in ipairs(list) do
        wanted[row.name] = true
    end
    for line in session:table():gmatch("[^\n]+") do
        local word = line:match("^(%S+)")
        if wanted[word] or word == "layer" then
            lines[#lines + 1] = line
        end
    end
    local row, fields = list[1], {}
    for _, key in ipairs(keys(layer_fields)) do
        fields[#fields + 1] = ("%s = %s"):format(key, literal(layer[key]))
    end
    if row.quantizer ~= "none" then
        lines[#lines + 1] = table.concat(fields, ", ")
    end
    return table.concat(lines, "\n")
end

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

local function session_of(net, method)
    return sessions[net] or fail("call it as net:%s(...), with a colon", method)
end

local function seconds(value)
    return ("%.2f s"):format(value)
end

local Score = {}

function Score.__tostring(score)
    return ("accuracy %.4f (%d/%d)  size %.1f KB  %s  [%s]"):format(score.accuracy, score.correct,
        score.images, score.bytes / 1000, seconds(score.seconds), score.weights)
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
        print(("on the %d calibration images float %.4f, quantised %.4f; weakest signal at %s, "
            .. "%.1f dB"):format(result.images, result.float, result.quantised, result.worst,
            result.worst_decibels))
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
            sets[#sets + 1] = ("train.%s=%s"):format(name, literal(o[name]))
        end
    end
    check(session:train{ output = o.output or ("%s/out/repl/%s"):format(root, session:info().name),
        epochs = whole("train", o, "epochs", 0), steps = whole("train", o, "steps", 0),
        resume = o.resume and true or false, sets = sets })
    print("these weights are in use now; net:undo() goes back to those before")
end

-- "w_bits", "s2*.w_bits", "train.lr": what a sweep sets.
local function setter(session, field)
    local prefix, name = field:match("^(.*)%.([^.]*)$")
    if prefix == nil then
        prefix, name = "quant", field
    end
    if sections[prefix] then
        return function(value)
            set(session, prefix .. "." .. name, value)
        end
    end
    return function(value)
        set_layer(session, prefix, name, value)
    end
end

local Rows = {}

local row_format = "%12s  %8s  %10s  %8s"

function Rows.__tostring(rows)
    local lines = { row_format:format(rows.field, "accuracy", "size", "time") }
    for i, row in ipairs(rows) do
        lines[i + 1] = tostring(row)
    end
    return table.concat(lines, "\n")
end

local Row = {}

function Row.__tostring(row)
    return row_format:format(tostring(row.value), ("%.4f"):format(row.accuracy),
        ("%.1f KB"):format(row.bytes / 1000), seconds(row.seconds))
end

local function plot(net, rows, o)
    local x, y = {}, {}
    for i, row in ipairs(rows) do
        local by_size = o.x == "size"
        x[i] = by_size and row.bytes / 1000 or tonumber(row.value) or i
        y[i] = row.accuracy
    end
    local name = sessions[net]:info().name
    local file = o.file
    if file == nil then
        check(native.make_folder(root .. "/out/repl"))
        file = ("%s/out/repl/%s_%s.png"):format(root, name, rows.field:gsub("[^%w_]", "_"))
    end
    check(native.plot(file, name, o.x == "size" and "KB" or rows.field, "accuracy", x, y))
    print("picture: " .. native.shorter(file))
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
    local change, depth = setter(session, field), session:depth()
    local rows = setmetatable({ field = field }, Rows)
    print(tostring(rows))
    local ok, message = pcall(function()
        for i, value in ipairs(values) do
            change(value)
            if o.ptq then
                net:ptq{ images = o.ptq ~= true and o.ptq or nil, quiet = true }
            end
            local row = net:eval{ images = o.images, calibrate = o.calibrate, quiet = true }
            row.value = value
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
    check(session_of(net, "load_weights"):load_weights(text("load_weights", path, "a checkpoint")))
end

function Net.use_data(net, path)
    check(session_of(net, "use_data"):use_data(text("use_data", path, "a folder of images")))
end

function Net.save(net, path)
    local session = session_of(net, "save")
    local how = check(session:save(text("save", path, "a file such as my.lua")))
    print(path .. (how == "beside" and ": the changes, on top of " or ": the changes and all of ")
        .. session:info().path)
end

function Net.save_weights(net, path)
    check(session_of(net, "save_weights"):save_weights(text("save_weights", path,
        "a file such as my.ckpt")))
    print(path .. ": the weights in use")
end

function Net.emit(net, path)
    check(session_of(net, "emit"):emit(text("emit", path, "a file such as infer.c")))
    print(path .. ": build it with cc -O3 -c; -DLATHE_MAIN adds a main")
end

-- The functions of network.c, each with the comment above it, and what layer that names.
local function functions_of(source)
    local list, block, layer = {}, {}, nil
    for line in source:gmatch("([^\n]*)\n") do
        block[#block + 1] = line
        layer = line:match("^/%* ([%w_]+): .*%) %*/$") or layer
        if line == "" then
            block, layer = {}, nil
        elseif line == "}" then
            local code = table.concat(block, "\n")
            list[#list + 1] = { code = code, layer = layer,
                name = ("\n" .. code):match("\nstatic void ([%w_]+)%(") }
            block, layer = {}, nil
        end
    end
    return list
end

function Net.source(net, layer, program)
    local session = session_of(net, "source")
    local wanted, all, shown = {}, functions_of(session:text()), {}
    text("source", layer, "a layer's name")
    program = program or "evaluate"
    if program ~= "evaluate" and program ~= "train" then
        fail('source: want "evaluate" or "train" behind the layer')
    end
    for _, row in ipairs(session:layers(layer)) do
        wanted[row.name] = true
    end
    if next(wanted) == nil then
        fail("source: no layer %s%s", layer, suggest(layer, net:layers()))
    end
    for i, it in ipairs(all) do
        if it.layer and wanted[it.layer] and it.name:find("^" .. program) then
            for j = 1, i - 1 do -- kernels come before what calls them
                local kernel = all[j]
                if not kernel.layer and kernel.name and not shown[j]
                    and it.code:find(kernel.name .. "(", 1, true) then
                    shown[j] = true
                    print(kernel.code .. "\n")
                end
            end
            print(it.code .. "\n")
        end
    end
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

function Net.undo(net)
    local session = session_of(net, "undo")
    if session:depth() <= first[session] then
        fail("there is nothing to undo")
    end
    check(session:back(session:depth() - 1))
end

function Net.reset(net)
    local session = session_of(net, "reset")
    check(session:back(first[session]))
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
        return part(session, Section, key)
    elseif Net[key] then
        return Net[key]
    elseif layer_fields[key] then
        return session:section("quant")[key]
    elseif type(key) == "string" and #session:layers(key) > 0 then
        return part(session, Layer, key)
    end
    fail("unknown name net.%s%s", tostring(key), suggest(key, names_of(net)))
end

function Meta.__newindex(net, key, value)
    local session = sessions[net]
    if sections[key] then
        set(session, key, value)
    elseif layer_fields[key] then
        set(session, "quant." .. key, value)
    elseif type(key) == "string" and #session:layers(key) > 0 then
        fail("%s: set one of its fields, such as net[%q].w_bits", key, key)
    else
        fail("unknown name net.%s%s", tostring(key), suggest(key, names_of(net)))
    end
end

function Meta.__tostring(net)
    local changes, lines = net:changes(), { (sessions[net]:table():gsub("\n$", "")) }
    for _, change in ipairs(changes) do
        lines[#lines + 1] = "changed: " .. change
    end
    return table.concat(lines, "\n")
end

local function open(path, given)
    text("open", path, "a config such as configs/resnet20_int4_cifar10.lua")
    local o = options("open", given, { "weights", "data", "set" })
    local sets = {}
    for key, value in pairs(o.set or {}) do
        if type(key) ~= "number" then
            sets[#sets + 1] = key .. "=" .. literal(value)
        end
    end
    sorted(sets)
    for _, set in ipairs(o.set or {}) do
        sets[#sets + 1] = set
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
    elseif meta == Section then
        return section_fields[names[value]]
    elseif meta == Layer then
        return keys(layer_fields)
    end
end

local function layers_of(value)
    return getmetatable(value) == Meta and value:layers() or nil
end

return { open = open, members = members, layers_of = layers_of }
