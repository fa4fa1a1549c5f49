"""Writes fixtures of make.py's network without PyTorch or NumPy, for which classes of their
names stand in: beside.pt, a checkpoint like those of training scripts, with objects beside the
weights, averages as a second dictionary and a command that must not run; and types.safetensors.
"""
import argparse
import collections
import io
import json
import os
import pickle
import struct
import sys
import types
import zipfile


def stand_in(module, name):
    """A function of that name, for pickles to refer to."""
    def function(*arguments):
        raise AssertionError
    function.__module__, function.__qualname__ = module, name
    parts = module.split(".")
    for i in range(len(parts)):
        sys.modules.setdefault(".".join(parts[:i + 1]), types.ModuleType(parts[i]))
    setattr(sys.modules[module], name, function)
    return function


class Call:
    """Pickled as a call of a function."""
    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


rebuild = stand_in("torch._utils", "_rebuild_tensor_v2")
parameter = stand_in("torch._utils", "_rebuild_parameter_with_state")
scalar = stand_in("numpy.core.multiarray", "scalar")
dtype = stand_in("numpy", "dtype")
storage_types = {code: stand_in("torch", name) for code, name in
                 {"f": "FloatStorage", "e": "HalfStorage", "q": "LongStorage"}.items()}


class Storage:
    def __init__(self, code, values):
        self.code, self.values = code, values


def tensor(values, *shape, code="f"):
    strides, step = [], 1
    for size in reversed(shape):
        strides.insert(0, step)
        step *= size
    return Call(rebuild, Storage(code, values), 0, shape, tuple(strides), False,
                collections.OrderedDict())


def count(*shape, scale=0.125, first=0, step=1, code="f"):
    n = 1
    for size in shape:
        n *= size
    return tensor([(first + step * i) * scale for i in range(n)], *shape, code=code)


def state_dict(prefix, mean):
    return collections.OrderedDict((prefix + name, value) for name, value in {
        "conv1.weight": Call(parameter, count(2, 3, 2, 1), True, collections.OrderedDict(), {}),
        "bn1.weight": count(2, scale=-1.5, code="e"),
        "bn1.bias": count(2, scale=3),
        "bn1.running_mean": count(2, first=mean),
        "bn1.running_var": count(2, first=3, step=4),
        "bn1.num_batches_tracked": tensor([7], code="q"),
        "linear.weight": tensor([(i % 2 * 4 + i // 2) * 0.125 for i in range(8)], 4, 2),
        "linear.bias": count(4, first=1, step=2),
    }.items())


def save(path, value):
    storages, keys = [], {}

    class Pickler(pickle.Pickler):
        def persistent_id(self, value):
            if not isinstance(value, Storage):
                return None
            if id(value) not in keys:
                keys[id(value)] = str(len(storages))
                storages.append(value)
            return ("storage", storage_types[value.code], keys[id(value)], "cpu",
                    len(value.values))

    data = io.BytesIO()
    Pickler(data, 2).dump(value)
    with zipfile.ZipFile(path, "w") as archive:
        def add(name, content):
            archive.writestr(zipfile.ZipInfo("beside/" + name), content)
        add("data.pkl", data.getvalue())
        for i, storage in enumerate(storages):
            add(f"data/{i}", struct.pack(f"<{len(storage.values)}{storage.code}",
                                         *storage.values))


averages = state_dict("module._orig_mod.", 2)
averages["n_averaged"] = tensor([5], code="q")
save("beside.pt", {
    "model": state_dict("_orig_mod.", 1),
    "ema": {"shadow": averages},
    "optimizer": {"state": {0: {"exp_avg": count(2)}}, "param_groups": [{"lr": 0.1}]},
    "lr_scheduler": {"milestones": collections.Counter({80: 1}), "last_epoch": 3},
    "args": argparse.Namespace(lr=0.1, gpus={0, 1}),
    "best": Call(scalar, Call(dtype, "f8", False, True), b"\0" * 8),
    "rng_state": count(4),
    "hook": Call(os.system, "touch was-run"),
    "epoch": 3,
})


def save_safetensors(path, arrays):
    """arrays: name to (dtype, shape, values)."""
    header, elements = {"__metadata__": {"format": "pt"}}, b""
    for name, (dtype, shape, values) in arrays.items():
        if dtype == "BF16":  # the upper half of a float
            data = b"".join(struct.pack("<f", value)[2:] for value in values)
        else:
            code = {"F16": "e", "F32": "f", "F64": "d", "I64": "q"}[dtype]
            data = struct.pack(f"<{len(values)}{code}", *values)
        header[name] = {"dtype": dtype, "shape": shape,
                        "data_offsets": [len(elements), len(elements) + len(data)]}
        elements += data
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + elements)


save_safetensors("types.safetensors", {
    "conv1.weight": ("F32", [2, 3, 2, 1], [i * 0.125 for i in range(12)]),
    "bn1.weight": ("F16", [2], [0, -1.5]),
    "bn1.bias": ("BF16", [2], [0, 3]),
    "bn1.running_mean": ("F64", [2], [0.125, 0.25]),
    "bn1.running_var": ("F32", [2], [0.375, 0.875]),
    "bn1.num_batches_tracked": ("I64", [], [7]),
    "linear.weight": ("F32", [4, 2], [(i % 2 * 4 + i // 2) * 0.125 for i in range(8)]),
    "linear.bias": ("F32", [4], [0.125, 0.375, 0.625, 0.875]),
})
