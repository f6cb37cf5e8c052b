#!/usr/bin/env python3
"""What it costs a redis-server to be looked at: its throughput while `mallocspy top` watches it, and for how long dumps stop it.

    live_bench.py BUILD_FOLDER [--rounds N] [--requests N] [--keys N]

In each round redis-benchmark runs twice against the same server, once watched and once not, in an order that alternates: the ratio is of the same
round. The noise is the ratio of two unwatched runs of neighbouring rounds.
"""

import argparse
import os
import pathlib
import pty
import re
import statistics
import subprocess
import sys
import tempfile
import threading
import time

sys.dont_write_bytecode = True  # the source tree stays as it is
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "programs"))
from observed_run import Build, environment  # noqa: E402
from redis_server import RedisServer  # noqa: E402

LOAD = ["--csv", "-P", "8", "-r", "200000", "-t", "set,get,lpush,hset"]
CLOCK_TICKS = os.sysconf("SC_CLK_TCK")


class Watcher:
    """`mallocspy top` on a terminal of 80x24."""

    def __init__(self, command, pid):
        master, terminal = pty.openpty()
        self.process = subprocess.Popen([command, "top", str(pid)], stdin=terminal, stdout=terminal, stderr=terminal,
                                        env=environment(TERM="xterm", LINES="24", COLUMNS="80"), start_new_session=True)
        os.close(terminal)
        self.shown = 0
        self.master = master
        threading.Thread(target=self._drain, daemon=True).start()

    def _drain(self):
        try:
            while piece := os.read(self.master, 65536):
                self.shown += len(piece)
        except OSError:  # the terminal is gone
            pass

    def __enter__(self):
        self.began = time.monotonic()
        return self

    def __exit__(self, *_):
        fields = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()
        self.cpu_percent = 100 * (int(fields[11]) + int(fields[12])) / CLOCK_TICKS / (time.monotonic() - self.began)
        self.process.terminate()
        self.process.wait()
        if self.shown == 0:
            raise AssertionError("top showed nothing")


def throughput(server, requests):
    """Requests per second of each kind, as their geometric mean."""
    rates = [float(line.split(",")[1].strip('"')) for line in server.load(*LOAD, "-n", str(requests)).splitlines()[1:]]
    return statistics.geometric_mean(rates)


def watch(build, server, rounds, requests):
    ratios, plain, cpu = [], [], []
    for number in range(rounds):
        rates = {}
        for watched in ((True, False) if number % 2 else (False, True)):
            if not watched:
                rates[False] = throughput(server, requests)
                continue
            with Watcher(build.command, server.process.pid) as watcher:
                time.sleep(1)
                rates[True] = throughput(server, requests)
            cpu.append(watcher.cpu_percent)
        ratios.append(rates[True] / rates[False])
        plain.append(rates[False])
    noise = [later / earlier for earlier, later in zip(plain, plain[1:])]
    spread = lambda values: f"{statistics.median(values):.3f} ({min(values):.3f} to {max(values):.3f})"
    print(f"throughput watched / not watched, {rounds} rounds: {spread(ratios)}")
    print(f"not watched / not watched one round before:  {spread(noise)}")
    print(f"top itself: {statistics.median(cpu):.1f} % of a core")


def dump(build, server, rounds, keys, folder):
    server.ask("flushall")
    server.ask("debug", "populate", str(keys))
    pauses = []
    for _ in range(rounds):
        said = subprocess.run([build.command, "dump", "-o", folder / "x.mspy", str(server.process.pid)], check=True, capture_output=True,
                              env=environment()).stdout.decode()
        pauses.append(float(re.search(r"stood still for ([0-9.]+) ms", said).group(1)))
    print(f"pauses of {rounds} dumps with {keys} keys, ms: median {statistics.median(pauses):.1f} ({' '.join(f'{pause:.1f}' for pause in pauses)})")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("build")
    parser.add_argument("--rounds", type=int, default=9, help="at least 2")
    parser.add_argument("--requests", type=int, default=300000, help="of each kind")
    parser.add_argument("--keys", type=int, default=1000000)
    options = parser.parse_args()
    build = Build(options.build)
    with tempfile.TemporaryDirectory(prefix="live_bench.") as name:
        folder = pathlib.Path(name)
        with RedisServer(folder, LD_PRELOAD=build.library, MALLOCSPY_OPTIONS="report=none") as server:
            watch(build, server, options.rounds, options.requests)
            dump(build, server, options.rounds, options.keys, folder)


if __name__ == "__main__":
    main()
