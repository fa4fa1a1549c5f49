-- results.lua FILE.png: the rows of README.md's table of the zoo as a picture, accuracy over size.
local picture = ...

local trained = { name = "trained here" }
local converted = { name = "post-training" }
local published = { name = "best published" }

local function add(series, kilobytes, accuracy, label)
    series.x = series.x or {}
    series.y = series.y or {}
    series.labels = series.labels or {}
    table.insert(series.x, tonumber(kilobytes))
    table.insert(series.y, tonumber(accuracy))
    table.insert(series.labels, label)
end

-- | name | trained | size | accuracy | the study's | best published |
local rows = {}
for line in io.lines("README.md") do
    local name, size, accuracy, best = line:match(
        "^| (resnet20[%w_ ]*) |[^|]*| ([%d,]+) KB | ([%d.]+) %% |[^|]*| ([^|]*)|$")
    if name then
        table.insert(rows, { name = name, size = tonumber((size:gsub(",", ""))),
            accuracy = accuracy, best = best:match("^([%d.]+) %%") })
    end
end
assert(#rows > 0, "README.md: no rows of the zoo")
table.sort(rows, function(a, b)
    return a.size < b.size
end)
for _, row in ipairs(rows) do
    if row.name:find(" ptq ") then
        add(converted, row.size, row.accuracy, "") -- the label stands at the trained one
    else
        add(trained, row.size, row.accuracy, row.name:match("_(%w+)$") or "float32")
    end
    if row.best then
        add(published, row.size, row.best, "")
    end
end

plot(picture, { trained, converted, published }, { title = "ResNet-20 on CIFAR-10",
    x = "weights, KB", y = "right of the test images, %", log = true })
