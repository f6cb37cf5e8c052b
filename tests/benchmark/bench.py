#!/usr/bin/env python3
"""Compares programs run plain with the same under mallocspy, heaptrack and LeakSanitizer.

Every round runs each variant of a row once, in an order that rotates, so that a slow minute of the machine hits all
alike. A ratio is the median over the rounds of variant / plain of the same round. A run counts only if it printed
what the plain run printed and ended as it did.

  wall   from start to the end of the program (with `run` and `lsan`: and of the report)
  cpu    user and system time of the whole process tree
  rss    peak resident memory of the largest process of the tree
"""

import argparse
import ctypes.util
import hashlib
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

sys.dont_write_bytecode = True  # the source tree stays as it is
import workloads  # noqa: E402

VARIANTS = {
    "plain": "the program alone",
    "record": "libmallocspy.so preloaded, report=none: the cost inside the process",
    "run": "mallocspy run: the same, with the report",
    "heaptrack": "heaptrack -r: record only",
    "lsan": "LeakSanitizer preloaded, with its check at exit",
}
METRICS = ("wall_s", "cpu_s", "peak_rss_kb")


class Tools:
    """Where the things are that make a plain command a variant of it."""

    def __init__(self, build):
        self.command = build / "bin" / "mallocspy"
        self.library = build / "lib" / "libmallocspy.so"
        self.measure = build / "bin" / "measure"
        self.heaptrack = shutil.which("heaptrack")
        self.lsan = ctypes.util.find_library("lsan")
        self.lsan_start = build / "lib" / "liblsan_start.so"

    def missing(self, variant):
        """Why the variant cannot run, or None."""
        needs = {"record": [self.library], "run": [self.library, self.command], "lsan": [self.lsan_start]}.get(variant, [])
        for path in needs:
            if not path.exists():
                return f"{path} is not built"
        if variant == "heaptrack" and not self.heaptrack:
            return "heaptrack is not installed"
        if variant == "lsan" and not self.lsan:
            return "liblsan is not installed"
        return None

    def dress(self, variant, argv, scratch):
        """The command and environment of one run."""
        env = {}
        if variant == "record":
            env = {"LD_PRELOAD": str(self.library), "MALLOCSPY_OPTIONS": "report=none"}
        elif variant == "run":
            argv = [str(self.command), "run", "--fail-on=none", f"--output={scratch}/report", "--"] + argv
        elif variant == "heaptrack":
            argv = [self.heaptrack, "-r", "-o", f"{scratch}/heaptrack"] + argv
        elif variant == "lsan":
            env = {"LD_PRELOAD": f"{self.lsan}:{self.lsan_start}", "LSAN_OPTIONS": "exitcode=0"}
        return argv, env


def run_once(tools, row, variant, work):
    """One measured run: a dict of the metrics, with `exit` and `stdout` (bytes)."""
    with tempfile.TemporaryDirectory(dir=work) as scratch:
        argv, extra = tools.dress(variant, row.argv, scratch)
        # `measure` sets the variables for the program; itself it must stay plain.
        settings = [f"{key}={value}" for key, value in {**row.env, **extra}.items()]
        command = [str(tools.measure), *settings, *argv]
        result_path = Path(scratch) / "result"
        with open(result_path, "wb") as result, open(Path(scratch) / "out", "w+b") as out:
            process = subprocess.Popen(
                ["/bin/sh", "-c", 'exec "$@" 3>"$0"', str(result_path), *command],
                stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.DEVNULL, cwd=work)
            process.wait()
            out.seek(0)
            printed = out.read()
        text = result_path.read_text()
        if not text:
            raise RuntimeError(f"{row.name}, {variant}: the measuring program ended with {process.returncode}")
        return {**json.loads(text), "stdout": printed}


def judge(row, variant, sample, plain):
    """Why a run cannot be compared with the plain one, or None."""
    if sample["exit"] != plain["exit"]:
        return f"exit status {sample['exit']}, plain has {plain['exit']}"
    # heaptrack adds lines of its own before and after.
    if variant == "heaptrack":
        same = plain["stdout"] in sample["stdout"]
    else:
        same = plain["stdout"] == sample["stdout"]
    return None if same else "its output differs from the plain run's"


def measure_row(tools, row, variants, rounds, work):
    """All rounds of one row: {"name", "variants": {name: {"samples", "median", "ratio"} or {"failed"}}}."""
    expected = run_once(tools, row, "plain", work)  # also warms the caches
    if expected["exit"] != 0:
        raise RuntimeError(f"{row.name}: the plain run ended with status {expected['exit']}")
    samples = {variant: [] for variant in variants}
    failed = {}
    for round_number in range(rounds):
        shift = round_number % len(variants)
        for variant in variants[shift:] + variants[:shift]:
            if variant in failed:
                continue
            reason = tools.missing(variant)
            if reason is None:
                sample = run_once(tools, row, variant, work)
                reason = judge(row, variant, sample, expected)
            if reason is not None:
                failed[variant] = reason
                continue
            samples[variant].append({metric: sample[metric] for metric in METRICS})
    result = {"name": row.name, "what": row.what, "argv": row.argv,
              "stdout_sha256": hashlib.sha256(expected["stdout"]).hexdigest(), "variants": {}}
    for variant in variants:
        if variant in failed:
            result["variants"][variant] = {"failed": failed[variant]}
            continue
        mine, plain = samples[variant], samples["plain"]
        entry = {"samples": mine, "median": {}, "ratio": {}, "spread": {}}
        for metric in METRICS:
            ratios = sorted(a[metric] / b[metric] for a, b in zip(mine, plain) if b[metric])
            entry["median"][metric] = statistics.median(a[metric] for a in mine)
            entry["ratio"][metric] = statistics.median(ratios) if ratios else None
            entry["spread"][metric] = [ratios[0], ratios[-1]] if ratios else None
        result["variants"][variant] = entry
    return result


def version_of(argv):
    try:
        done = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=20)
    except (OSError, subprocess.TimeoutExpired):
        return None
    lines = (done.stdout or done.stderr).strip().splitlines()
    return lines[0] if lines else None


def machine():
    """What the numbers depend on."""
    model = None
    with open("/proc/cpuinfo") as cpuinfo:
        for line in cpuinfo:
            if line.startswith("model name"):
                model = line.split(":", 1)[1].strip()
                break
    return {"cpu": model, "cpus": os.cpu_count(), "kernel": platform.release(),
            "libc": " ".join(platform.libc_ver()), "load": os.getloadavg()[0],
            "heaptrack": version_of(["heaptrack", "--version"])}


def print_row(result, out):
    plain = result["variants"]["plain"]["median"]
    print(f"{result['name']:<10} plain      {plain['wall_s'] * 1e3:9.1f} ms   "
          f"{plain['cpu_s'] * 1e3:9.1f} ms   {plain['peak_rss_kb'] / 1024:8.1f} MB", file=out)
    for variant, entry in result["variants"].items():
        if variant == "plain":
            continue
        if "failed" in entry:
            print(f"{'':<10} {variant:<10} failed: {entry['failed']}", file=out)
            continue
        ratio, spread = entry["ratio"], entry["spread"]["wall_s"]
        print(f"{'':<10} {variant:<10} {ratio['wall_s']:8.2f} x    {ratio['cpu_s']:9.2f} x    "
              f"{ratio['peak_rss_kb']:8.2f} x   (wall {spread[0]:.2f} to {spread[1]:.2f}; "
              f"{(entry['median']['wall_s'] - plain['wall_s']) * 1e3:+.1f} ms)", file=out)
    out.flush()


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="variants:\n" + "\n".join(f"  {name:<10} {what}" for name, what in VARIANTS.items())
        + "\nrows:\n" + "\n".join(f"  {name:<10} {what}" for name, what in workloads.descriptions()))
    parser.add_argument("--build", type=Path, required=True, help="build directory (tools/dev bench gives it)")
    parser.add_argument("--rounds", type=int, default=7, help="runs of each variant, default 7")
    parser.add_argument("--rows", help="comma-separated rows, default all")
    parser.add_argument("--variants", help="comma-separated variants, default all; plain is always run")
    parser.add_argument("--scale", type=float, default=1.0, help="size of the inputs, default 1")
    parser.add_argument("--json", action="store_true", help="print JSON (with every sample) instead of a table")
    options = parser.parse_args()

    known = [name for name, _ in workloads.descriptions()]
    chosen = options.rows.split(",") if options.rows else known
    variants = ["plain"] + [v for v in (options.variants.split(",") if options.variants else VARIANTS) if v != "plain"]
    for name in chosen:
        if name not in known:
            parser.error(f"there is no row '{name}'; rows: {', '.join(known)}")
    for variant in variants:
        if variant not in VARIANTS:
            parser.error(f"there is no variant '{variant}'; variants: {', '.join(VARIANTS)}")
    if options.rounds < 1 or options.scale <= 0:
        parser.error("--rounds and --scale must be positive")
    tools = Tools(options.build.resolve())
    if not tools.measure.exists():
        parser.error(f"{tools.measure} does not exist: build first (tools/dev build)")

    results, complete = [], True
    table = sys.stderr if options.json else sys.stdout
    with tempfile.TemporaryDirectory(prefix="mallocspy-bench-") as work:
        print(f"{'row':<10} {'variant':<10} {'wall':>11}    {'cpu':>9}      {'peak rss':>8}", file=table)
        for name in chosen:
            row = workloads.make(name, Path(work), options.scale)
            if row is None:
                print(f"{name:<10} skipped: its program is not installed (tools/dev setup)", file=table)
                complete = False
                continue
            results.append(measure_row(tools, row, variants, options.rounds, work))
            print_row(results[-1], table)
            complete = complete and not any("failed" in entry for entry in results[-1]["variants"].values())
    if options.json:
        json.dump({"schema": "mallocspy-bench/1", "machine": machine(), "rounds": options.rounds,
                   "scale": options.scale, "rows": results}, sys.stdout, indent=1)
        print()
    return 0 if complete else 1


if __name__ == "__main__":
    sys.exit(main())
