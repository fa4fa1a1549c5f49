-- help(): what there is in a session, as a page and topic by topic.
local printer = ...

local page = [[
A session with a net:

  net = open("configs/resnet20_int4_cifar10.lua", { weights = "float.ckpt", data = "DIR" })
  net                                    its layers as a table
  net.s2b0_conv1                         one layer
  net.quant, net.train, net.data         fields, with what they mean
  net.quant.w_bits = 4                   set a field for all layers
  net.s2b0_conv1.w_bits = 3              for one layer
  net["s3*"].a_bits = 5                  for all that a pattern means
  net:eval{ images = 1000 }              accuracy, size, time
  net:ptq()                              quantise with learned rounding
  net:train{ epochs = 1, lr = 0.01 }     Ctrl-C stops it, weights are kept
  net:sweep("w_bits", { 8, 6, 4, 3, 2 }, { images = 1000 })
                                         a table and a picture; net stays as it is
  net:save("my.lua")                     the config with its changes
  net:source("s2b0_conv1")               the C of a layer
  net:undo(), net:reset()                one change back; all of them

help("eval") explains: open, eval, ptq, train, sweep, plot, save, source, changes, more.
NAME? says what a name is: net?, net.train?, net.s2b0_conv1?, net:eval?, net.train.lr?
Everything else is Lua 5.4. Tab completes, Ctrl-C stops whatever runs, Ctrl-D ends.]]

local topics = {
    open = [[
open(CONFIG, { weights = FILE, data = DIR, set = { ["train.lr"] = 0.1, "quant.w_bits=3" } })
  A net from a config; set is what --set is on the command line. Weights of a float network
  serve a quantised config: ranges are found when they are needed. What `lathe repl` was
  given with --weights and --data is what open takes when it is told nothing else.]],
    eval = [[
net:eval{ images = N, calibrate = N, quiet = true }    net:eval(N) is images = N
  Accuracy on the first N test images (default: all), as it would be in the shipped file.
  Where quantisation has changed since the weights were made, ranges are found first, on
  `calibrate` training images (32). In brackets: which weights, "ranges only" (of the weights
  that were loaded), "ptq", "trained", or their file.
  Returns { accuracy, correct, images, bytes, seconds, weights }.]],
    ptq = [[
net:ptq{ images = 512, quiet = true }
  Post-training quantisation: rounding learned layer by layer on N training images, and
  corrections. Its weights are in use until quantisation changes; change it back, and they
  are again.]],
    train = [[
net:train{ epochs = N, lr = X, ..., steps = N, output = DIR, resume = true,
    force = true }
  net:train(N) is epochs = N.
  Trains from the weights in use; without weights, a float network from random ones. Any field
  of `train` can be given for this run. Checkpoints, log and curve go to out/repl/NAME or
  `output`, where another run is kept unless force = true. Ctrl-C stops after the step at hand;
  the weights so far are kept, and net:train{ ... } goes on from them, net:train{ resume = true }
  with the very run. What was trained is what later changes of quantisation start from;
  net:undo() brings back the weights before.]],
    sweep = [[
net:sweep(FIELD, VALUES, { images = N, ptq = true, x = "size", file = FILE.png, calibrate = N })
  Evaluates the net with each value of the field ("w_bits", "s2*.w_bits", "quant.a_bits",
  "data.mean"), with ptq = true (or a number of images) quantised anew each time, and draws
  accuracy over KB or, where sizes are the same or with x = "value", over the values. With
  float weights the float network is the first row, and a line in the picture. Fields that
  only training looks at are refused. Returns the rows; rows.float is the float network.]],
    plot = [[
plot(FILE.png, { { x = { 71, 134 }, y = { 0.92, 0.93 }, name = "ours", labels = { "a", "b" } } },
    { title = "accuracy over size", x = "weights, KB", y = "accuracy", log = true })
  A picture of one or several series; name, labels and all of the second table may be left
  out, log = true makes x logarithmic where all of it is above 0.]],
    save = [[
net:save("my.lua")          the config as it is now; beside the original it requires that
                            one, in another folder it has the texts of all it requires
net:save_weights("my.ckpt") the weights in use, for every verb's --weights
net:emit("infer.c")         the standalone inference file of them
At the prompt they ask before they replace a file; in a script it is an error, unless
told: net:save("my.lua", { overwrite = true }).]],
    source = [[
net:source("s2b0_conv1"), net:source("s2b0_conv1", "train"), net:source("s2b0_conv1", "infer")
  The functions that are the layer's and the kernels they call, as `lathe gen` and `lathe emit`
  write them: of evaluation, of training, of the standalone file.]],
    changes = [[
net:changes()   the overrides, as --set takes them
net:undo()      before the last change: of a field, weights, ptq, training
net:reset()     as it was opened; net:undo() takes that back, too]],
    more = [[
net:load_weights(FILE), net:use_data(DIR), net:layers() (their names), net:hash()
print(net), tostring(net), net.quant.w_bits: all of it works in scripts: lathe repl SCRIPT.lua]],
}

-- With `ask`, whether there is help on the topic.
return function(topic, ask)
    if topic == nil then
        printer.page(page)
        return
    end
    topic = tostring(topic):match("([%w_]+)%W*$") or ""
    for _, other in ipairs{ { "undo", "changes" }, { "reset", "changes" }, { "emit", "save" },
        { "save_weights", "save" }, { "load_weights", "more" }, { "use_data", "more" },
        { "layers", "more" }, { "hash", "more" } } do
        topic = topic == other[1] and other[2] or topic
    end
    if ask then
        return topics[topic] ~= nil
    end
    printer.page(topics[topic] or ("no help on %s; help() shows what there is"):format(topic))
end
