"""bench.py [--rounds N] [--json] [ROW...]: this machine's times beside those of the libraries
that are installed, in turns (A B A B ...), medians and ratios. Rows are named as in the first
column; all of them where none is named. oneDNN wants libdnnl-dev and g++, PyTorch python3-torch."""
import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.join(HERE, "../..")
ONEDNN = os.path.join(ROOT, "out/peers/onednn")
PYTHON = "/usr/bin/python3"  # Debian's, which has its packages
SECONDS = 2  # a time, one of ROUNDS


class Row:
    """What is timed: a config's part, by lathe, and the peers' words for it."""

    def __init__(self, name, config, part, threads, batch=None, onednn=None, pytorch=None,
                 more=()):
        self.name, self.threads = name, threads
        self.ways = {"lathe": lathe(config, part, threads, batch) + list(more)}
        if onednn and os.path.exists(ONEDNN):
            self.ways["oneDNN"] = [ONEDNN] + onednn.split()
        if pytorch and HAS_TORCH:
            self.ways["PyTorch"] = [PYTHON, os.path.join(HERE, "pytorch.py")] + pytorch.split()


def lathe(config, part, threads, batch):
    words = [os.path.join(ROOT, "out/lathe"), "bench", os.path.join(ROOT, "configs", config)]
    words += ["--only", part, "--threads", str(threads), "--json"]
    return words + (["--batch", str(batch), "--steps", "12"] if batch else [])


def rows():
    fp20, fp18 = "resnet20_fp_cifar10.lua", "resnet18_fp32.lua"
    for threads in 1, 2:
        yield Row(f"train-resnet20-t{threads}", fp20, "train", threads, 128,
                  "train 128", "resnet20 128")
        yield Row(f"qat4-resnet20-t{threads}", "resnet20_int4_cifar10.lua", "train", threads,
                  128, None, "resnet20_qat4 128")
    yield Row("train-resnet18-t2", fp18, "train", 2, 16, None, "resnet18 16")
    yield Row("infer-resnet20-fp32", fp20, "infer", 1, None, "infer 20 f32")
    yield Row("infer-resnet20-fp32-winograd", fp20, "infer", 1, None, "infer 20 f32",
              more=["--set", "quant={ quantizer = 'none', winograd = 'always' }"])
    yield Row("infer-resnet20-int8", "resnet20_int8_cifar10.lua", "infer", 1, None,
              "infer 20 s8")
    yield Row("infer-resnet20-int4", "resnet20_int4_cifar10.lua", "infer", 1)
    yield Row("infer-resnet18-fp32", fp18, "infer", 1, None, "infer 18 f32")
    yield Row("infer-resnet18-int8", "resnet18_int8.lua", "infer", 1, None, "infer 18 s8")
    yield Row("infer-resnet18-int4", "resnet18_int4.lua", "infer", 1)


def build():
    """The peers that this machine has; says which it has not."""
    have_torch = subprocess.run([PYTHON, "-c", "import torch"],
                                stderr=subprocess.DEVNULL).returncode == 0
    if not have_torch:
        print("no PyTorch (Debian's python3-torch): left out", file=sys.stderr)
    source = os.path.join(HERE, "onednn.cpp")
    if os.path.exists("/usr/include/dnnl.hpp") and shutil.which("g++"):
        os.makedirs(os.path.dirname(ONEDNN), exist_ok=True)
        subprocess.run(["g++", "-O3", "-march=native", "-fopenmp", "-o", ONEDNN, source,
                        "-ldnnl"], check=True)
    else:
        print("no oneDNN (Debian's libdnnl-dev, g++): left out", file=sys.stderr)
    return have_torch


def blas_kernels():
    """Debian's PyTorch multiplies by OpenBLAS, which takes SSE3 on machines newer than it."""
    with open("/proc/cpuinfo") as file:
        flags = file.read()
    return "SkylakeX" if "avx512bw" in flags else "Haswell" if "avx2" in flags else ""


def milliseconds(way, words, threads):
    environment = dict(os.environ, OMP_NUM_THREADS=str(threads), SECONDS_EACH=str(SECONDS))
    if way == "PyTorch":
        environment.setdefault("OPENBLAS_CORETYPE", blas_kernels())
    if way == "oneDNN":
        environment["OMP_PROC_BIND"] = "true"  # its threads lose a factor of 3 without
    done = subprocess.run(words, env=environment, stdout=subprocess.PIPE, text=True)
    if done.returncode != 0:
        sys.exit(f"bench.py: {' '.join(words)}: exit status {done.returncode}")
    if way != "lathe":
        return float(done.stdout)
    return json.loads(done.stdout)["profiles"][0]["ms"]


def measure(row, rounds):
    times = {way: [] for way in row.ways}
    for _ in range(rounds):
        for way, words in row.ways.items():
            times[way].append(milliseconds(way, words, row.threads))
    return {way: statistics.median(list_) for way, list_ in times.items()}


def show(name, medians):
    own = medians["lathe"]
    text = f"{name:30}{own:10.3f} ms"
    for way, ms in medians.items():
        if way != "lathe":
            text += f"   {way} {ms:10.3f} ms, {own / ms:.2f} of it"
    print(text, flush=True)


parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--rounds", type=int, default=3)
parser.add_argument("--json", action="store_true")
parser.add_argument("rows", nargs="*")
flags = parser.parse_args()
HAS_TORCH = build()
table = list(rows())
unknown = set(flags.rows) - {row.name for row in table}
if unknown:
    sys.exit(f"bench.py: no row {', '.join(sorted(unknown))}; there are "
             f"{', '.join(row.name for row in table)}")
results = {}
for row in table:
    if not flags.rows or row.name in flags.rows:
        results[row.name] = measure(row, flags.rounds)
        if not flags.json:
            show(row.name, results[row.name])
if flags.json:
    print(json.dumps(results, indent=2))
