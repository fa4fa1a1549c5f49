"""Writes the fixtures beside it: a tiny network's weights as PyTorch and NumPy store them.

Made once, with PyTorch 1.13 and NumPy 1.24; tests/test_weights.c knows the values.
"""
from collections import OrderedDict

import numpy as np
import torch


def count(*shape, scale=0.125, dtype=torch.float32):
    n = int(np.prod(shape))
    return (torch.arange(n) * scale).to(dtype).reshape(shape)


shared = count(8, dtype=torch.float64)
state = OrderedDict()
state["module.conv1.weight"] = torch.nn.Parameter(count(2, 3, 2, 1))
state["module.bn1.weight"] = count(2, scale=-1.5, dtype=torch.float16)
state["module.bn1.bias"] = count(2, scale=3, dtype=torch.bfloat16)
state["module.bn1.running_mean"] = shared[1:3]
state["module.bn1.running_var"] = shared[3:8:4]
state["module.bn1.num_batches_tracked"] = torch.tensor(7)
state["module.linear.weight"] = count(2, 4).t()  # values go down the columns
state["module.linear.bias"] = count(9)[1::2]
state._metadata = OrderedDict([("", {"version": 1})])
checkpoint = {
    "epoch": 3,
    "arch": "tiny",
    "best_prec1": 91.5,
    "state_dict": state,
    "optimizer": {"state": {}, "param_groups": [{"lr": 0.1, "betas": (0.9, True), "x": None}]},
}
torch.save(checkpoint, "legacy.th", _use_new_zipfile_serialization=False)
torch.save(checkpoint, "zip.pt")
torch.save(state, "protocol4.pt", pickle_protocol=4)

arrays = {name.replace("module.", ""): t.detach().float().numpy() for name, t in state.items()}
arrays["conv1.weight"] = np.asfortranarray(arrays["conv1.weight"])
arrays["bn1.weight"] = arrays["bn1.weight"].astype(np.float16)
arrays["bn1.bias"] = arrays["bn1.bias"].astype(np.int16)
arrays["bn1.running_mean"] = arrays["bn1.running_mean"].astype(">f8")
arrays["bn1.num_batches_tracked"] = np.int64(7)
np.savez_compressed("numpy.npz", **arrays)
np.save("fortran.npy", arrays["conv1.weight"])
