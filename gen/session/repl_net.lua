-- The net of a session: methods that work on it, and its names. Everything is done by the C
-- side (native); here are options and what is printed.
local native, fields, given_options, show_shown = ...

local sessions, names, sections, section_fields, layer_fields = fields.sessions, fields.names,
    fields.sections, fields.section_fields, fields.layer_fields
local fail, check, keys, suggest = fields.fail, fields.check, fields.keys, fields.suggest
local options, whole, text, file_name, session_of, seconds, may_write =
    given_options.options, given_options.whole, given_options.text, given_options.file_name,
    given_options.session_of, given_options.seconds, given_options.may_write
local first = setmetatable({}, { __mode = "k" }) -- session -> depth when it was opened

local Net, Meta = fields.methods, {} -- its methods and its metatable

-- ---- Methods ----

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
    local known = { "epochs", "steps", "resume", "output", "force",
        table.unpack(section_fields.train) }
    local o = options("train", given, known)
    local sets = {}
    for _, name in ipairs(section_fields.train) do
        if o[name] ~= nil and name ~= "epochs" then
            local path = "train." .. name
            sets[#sets + 1] = path .. "=" .. fields.literal(o[name], path)
        end
    end
    for _, name in ipairs{ "resume", "force" } do
        if o[name] ~= nil and type(o[name]) ~= "boolean" then
            fail("train: %s: %s, want true or false", name, type(o[name]))
        end
    end
    if o.output ~= nil then
        text("train: output", o.output, "a folder")
    end
    local folder = "out/repl/" .. session:info().name
    local force = o.force or o.output == nil -- the session's own folder is for trying
    local signal = check(session:train{ output = o.output or folder, force = force,
        epochs = whole("train", o, "epochs", 0), steps = whole("train", o, "steps", 0),
        resume = o.resume and true or false, sets = sets })
    print("these weights are in use now; net:undo() goes back to those before")
    if signal ~= 0 then
        native.interrupted(signal)
    end
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
    text("save", path, "a file such as my.lua")
    if may_write("save", path, o.overwrite) then
        local how = check(session:save(path))
        print(("%s: the changes%s %s"):format(native.shown(path),
            how == "beside" and ", on top of" or " and all of", session:info().path))
    end
end

function Net.save_weights(net, path, given)
    local session = session_of(net, "save_weights")
    local o = options("save_weights", given, { "overwrite" })
    file_name("save_weights", path, ".ckpt")
    if may_write("save_weights", path, o.overwrite) then
        check(session:save_weights(path))
        print(native.shown(path) .. ": the weights in use")
    end
end

function Net.emit(net, path, given)
    local session = session_of(net, "emit")
    local o = options("emit", given, { "overwrite" })
    file_name("emit", path, ".c")
    if may_write("emit", path, o.overwrite) then
        check(session:emit(path))
        print(native.shown(path) .. ": build it with cc -O3 -c; -DLATHE_MAIN adds a main")
    end
end

function Net.source(net, layer, program)
    local session = session_of(net, "source")
    text("source", layer, "a layer's name")
    given_options.page((check(session:source(layer,
        text("source", program or "evaluate", "a program"))):gsub("\n$", "")))
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

-- What is wrong with a name that is neither a layer's nor a field's.
local function unknown(net, key)
    if type(key) == "string" and key:find("[*?%[]") then
        fail("net[%q]: no layer matches; net:layers() has their names", fields.brief(key))
    end
    fail("unknown name net.%s%s", fields.brief(key), suggest(key, names_of(net)))
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
    unknown(net, key)
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
        unknown(net, key)
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

local function listed(title, list)
    return title .. "\n" .. fields.wrapped(list, " ", "  ")
end

-- What value is, as a page; nil when it is none of ours.
local function about(value)
    local meta = getmetatable(value)
    if meta == Meta then
        return table.concat({ "the net of " .. sessions[value]:info().path,
            listed("methods, such as net:eval(); help(\"eval\") explains one:", keys(Net)),
            listed("fields of all its layers, such as net.w_bits:", keys(layer_fields)),
            listed("sections, such as net.train:", keys(sections)),
            listed("layers, such as net." .. value:layers()[1] .. ":", value:layers()) }, "\n")
    elseif meta == fields.Section then
        return tostring(value)
    elseif meta == fields.Layer then
        local lines = { tostring(value), "" }
        for _, name in ipairs(keys(layer_fields)) do
            lines[#lines + 1] = (".%-16s -- %s"):format(name, fields.meanings["quant." .. name])
        end
        return table.concat(lines, "\n")
    end
end

local function layers_of(value)
    return getmetatable(value) == Meta and value:layers() or nil
end

return { open = open, members = members, layers_of = layers_of, about = about }
