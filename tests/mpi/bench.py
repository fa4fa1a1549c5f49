"""bench.py [--rounds N] [--epochs N] [CONFIG]: two processes with a thread each train a config
(ResNet-20 where none is named) over lines of several speeds, in turns (A B A B ...): images/s,
beside those over a line as fast as this machine moves its bytes, and what `lathe bench
--mpi-model` says of them. Each process is in a network namespace of its own; the line between
them is line.c, a program that takes time of the same cores. Other work on these is seen in every
number: speeds and times there and back are of the fastest quarter of what was timed. For root, and
Open MPI."""
import argparse
import csv
import os
import re
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.abspath(os.path.join(HERE, "../.."))
OUT = os.path.join(ROOT, "out/mpi")
LATHE = os.path.join(ROOT, "out/lathe")
SPACES = "lathe-a", "lathe-b"
ADDRESSES = "10.77.0.1", "10.77.0.2"
DEVICE, SUBNET, PORT = "line", "10.77.0.0/30", 7777
PACKET = 65000  # bytes; smaller ones are more than a program can move at 10 Gbit/s
IMAGES = "random:384"  # an epoch of three batches: what is timed
LINES = (("as fast as it can", 0, 0), ("10 Gbit/s, 50 us", 10000, 50),
         ("1 Gbit/s, 200 us", 1000, 200))
NORMS = "batch", "chunk"


def stop(message):
    sys.exit("tests/mpi/bench.py: " + message)


def run(*words, check=True, **more):
    done = subprocess.run(words, text=True, capture_output=True, **more)
    if check and done.returncode != 0:
        stop(f"{' '.join(words)}: {done.stdout[-500:]}{done.stderr[-1500:]}")
    return done.stdout


def fastest(times):
    """The middle of the fastest quarter."""
    return sorted(times)[len(times) // 8]


# ---- The line ----

class Line:
    """Two namespaces and a line between them."""

    def __init__(self, megabits, microseconds):
        close_spaces()
        for space, address in zip(SPACES, ADDRESSES):
            run("ip", "netns", "add", space)
            run("ip", "-n", space, "link", "set", "lo", "up")
            run("ip", "-n", space, "tuntap", "add", DEVICE, "mode", "tun")
            run("ip", "-n", space, "address", "add", address + "/30", "dev", DEVICE)
            run("ip", "-n", space, "link", "set", DEVICE, "mtu", str(PACKET), "up")
        self.program = subprocess.Popen([os.path.join(OUT, "line"), *SPACES, DEVICE,
                                         str(megabits), str(microseconds)])

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.program.kill()
        self.program.wait()
        close_spaces()


def close_spaces():
    for space in SPACES:
        run("ip", "netns", "delete", space, check=False)


def far_end():
    """Sends back what it gets of a first connection; takes all of a second."""
    with socket.create_server((ADDRESSES[1], PORT)) as server:
        peer, _ = server.accept()
        peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        while data := peer.recv(64):
            peer.sendall(data)
        peer, _ = server.accept()
        start, taken, times = time.monotonic(), 0, []
        while data := peer.recv(1 << 20):
            taken += len(data)
            if taken > 1 << 22:
                times.append((time.monotonic() - start) / taken)
                start, taken = time.monotonic(), 0
        print(f"{8e-6 / statistics.median(times):.0f}")


def near_end():
    """Prints the time there and back, in microseconds; then sends for a second."""
    def connect():
        for _ in range(100):
            try:
                return socket.create_connection((ADDRESSES[1], PORT), timeout=5)
            except OSError:
                time.sleep(0.05)
        stop("nobody answers at the far end")
    with connect() as peer:
        peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        times = []
        for _ in range(300):
            start = time.monotonic()
            peer.sendall(b"x" * 64)
            peer.recv(64)
            times.append(1e6 * (time.monotonic() - start))
        print(f"{fastest(times):.0f}")
    with connect() as peer:
        end = time.monotonic() + 1
        while time.monotonic() < end:
            peer.sendall(bytes(1 << 20))


def measure_line():
    """Microseconds there and back, Mbit/s."""
    far = subprocess.Popen(["ip", "netns", "exec", SPACES[1], sys.executable, __file__, "--far"],
                           text=True, stdout=subprocess.PIPE)
    back = run("ip", "netns", "exec", SPACES[0], sys.executable, __file__, "--near")
    rate, _ = far.communicate()
    return int(back), int(rate)


# ---- Training ----

def trainer_folder(norm):
    return os.path.join(OUT, norm)


def prepare(config):
    if os.geteuid() != 0 or not all(map(shutil.which, ("ip", "mpirun", "mpicc"))):
        stop("want root, and iproute2, openmpi-bin and libopenmpi-dev")
    os.makedirs(OUT, exist_ok=True)
    run("cc", "-D_GNU_SOURCE", "-O2", "-o", os.path.join(OUT, "line"),
        os.path.join(HERE, "line.c"))
    for norm in NORMS:
        run(LATHE, "train", config, "--mpi", "--data", IMAGES, "-o", trainer_folder(norm),
            "--set", f"train.bn='{norm}'")
    with open(os.path.join(OUT, "agent.sh"), "w", encoding="utf-8") as file:
        file.write("# As ssh: a command on a host, which is a namespace here.\n"
                   f"host=$1; shift; space={SPACES[0]}\n"
                   f"[ $host = {ADDRESSES[1]} ] && space={SPACES[1]}\n"
                   "exec ip netns exec $space unshare --uts sh -c \"hostname $space; $*\"\n")


def images_per_s(folder):
    with open(os.path.join(folder, "log.csv"), encoding="utf-8") as file:
        return 1 / fastest([1 / float(row["images_per_s"]) for row in csv.DictReader(file)])


def train(norm, epochs, over_line):
    folder = os.path.join(OUT, "run")
    shutil.rmtree(folder, ignore_errors=True)
    words = [os.path.join(trainer_folder(norm), "trainer"), "train", "--data", IMAGES, "-o",
             folder, "--epochs", str(epochs), "--threads", "1" if over_line else "2"]
    if over_line:
        words = ["ip", "netns", "exec", SPACES[0], "mpirun", "--allow-run-as-root",
                 "--host", ",".join(ADDRESSES), "--map-by", "node", "--bind-to", "none",
                 "--mca", "plm_rsh_agent", "sh " + os.path.join(OUT, "agent.sh"),
                 "--mca", "oob_tcp_if_include", SUBNET, "--mca", "btl", "tcp,self",
                 "--mca", "btl_tcp_if_include", SUBNET, "-n", "2"] + words
    run(*words, timeout=600)
    return images_per_s(folder)


def model(config, norm):
    """The share of twice a process's speed that the model gives two, by line."""
    text = run(LATHE, "bench", config, "--only", "train", "--threads", "1", "--mpi-model",
               "--set", f"train.bn='{norm}'")
    row = re.search(r"^ +2((?: +\d+ images/s, [\d.]+)+)$", text, re.M)
    return [1.0] + [float(share) for share in re.findall(r"images/s, ([\d.]+)", row[1])]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("config", nargs="?", default="configs/resnet20_fp_cifar10.lua")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=24)
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *unused: sys.exit(1))  # nothing is left behind
    prepare(options.config)
    lines, speeds, alone = {}, {}, {norm: [] for norm in NORMS}
    for _ in range(options.rounds):
        for norm in NORMS:
            alone[norm].append(train(norm, options.epochs, False))
        for name, megabits, microseconds in LINES:
            with Line(megabits, microseconds):
                lines.setdefault(name, []).append(measure_line())
                for norm in NORMS:
                    speed = train(norm, options.epochs, True)
                    speeds.setdefault((norm, name), []).append(speed)
    for norm in NORMS:
        shares = model(options.config, norm)
        print(f"\ntrain.bn = {norm}: one process, two threads "
              f"{statistics.median(alone[norm]):.0f} images/s; two processes, one thread each")
        print(f"{'line':20} {'there and back':>14} {'Mbit/s':>7} {'images/s':>9} {'share':>6} "
              f"{'model':>6}")
        for (name, _, _), share in zip(LINES, shares):
            back, rate = (statistics.median(part) for part in zip(*lines[name]))
            fast = speeds[norm, LINES[0][0]]
            ratio = statistics.median(a / b for a, b in zip(speeds[norm, name], fast))
            print(f"{name:20} {back:11.0f} us {rate:7.0f} "
                  f"{statistics.median(speeds[norm, name]):9.0f} {ratio:6.2f} {share:6.2f}")
    print(f"\nmedians of {options.rounds} rounds; load {os.getloadavg()[0]:.1f} on "
          f"{os.cpu_count()} cores")


if __name__ == "__main__":
    if sys.argv[1:] == ["--far"]:
        far_end()
    elif sys.argv[1:] == ["--near"]:
        near_end()
    else:
        main()
