#!/usr/bin/env python3
"""Compares programs run plain with the same under mallocspy and under other tools that record allocations.

Every round runs each variant of a row once, in an order that rotates, so that a slow minute of the machine hits all
alike. A ratio is the median over the rounds of variant / plain of the same round. A run counts only if it printed
what the plain run printed and ended as it did.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.dont_write_bytecode = True  # the source tree stays as it is
import measuring  # noqa: E402
import tables  # noqa: E402
import variants as tools_of  # noqa: E402
import workloads  # noqa: E402

# The extra run that counts captured frames needs the stacks of a row, not its length.
FRAMES_SCALE = 0.1


class Progress:
    """One line on a terminal that tells what runs; nothing elsewhere."""

    def __init__(self, total):
        self.total, self.done = total, 0
        self.shown = sys.stderr.isatty()
        self.start = time.monotonic()

    def tell(self, what):
        if self.shown:
            print(f"\r\033[K[{self.done + 1}/{self.total}, {time.monotonic() - self.start:.0f} s] {what}"[:110],
                  end="", file=sys.stderr, flush=True)

    def clear(self):
        if self.shown:
            print("\r\033[K", end="", file=sys.stderr, flush=True)


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
    return {"cpu": model, "cpus": os.cpu_count(), "kernel": platform.release(), "libc": " ".join(platform.libc_ver()),
            "load": os.getloadavg()[0], "heaptrack": version_of(["heaptrack", "--version"]),
            "valgrind": version_of(["valgrind", "--version"])}


def parse_arguments():
    described = workloads.descriptions()
    parser = argparse.ArgumentParser(
        description=__doc__ + "\nmetrics" + measuring.__doc__.split("\n\n", 1)[1].join(["\n", ""]),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="variants (the slow ones with --all, those of options with --options, or named):\n"
        + "\n".join(f"  {name:<15} {what}" for name, what in tools_of.ALL.items())
        + "\nrows:\n" + "\n".join(f"  {name:<15} {what}" for name, what in described))
    parser.add_argument("--build", type=Path, required=True, help="build directory (tools/dev bench gives it)")
    parser.add_argument("--rounds", type=int, default=5, help="runs of each variant, default 5")
    parser.add_argument("--rows", help="comma-separated rows, default all; also 'real', 'torture'")
    parser.add_argument("--variants", help="comma-separated variants; plain is always run")
    parser.add_argument("--options", action="store_true", help="what the library's options cost, beside the default checks")
    parser.add_argument("--all", action="store_true", help="also jemalloc, gperftools and valgrind: much longer")
    parser.add_argument("--scale", type=float, default=1.0, help="size of the inputs, default 1")
    parser.add_argument("--no-frames", action="store_true", help="leave out the runs that count captured frames")
    parser.add_argument("--json", action="store_true", help="print JSON (with every sample) instead of tables")
    options = parser.parse_args()

    known = [name for name, _ in described]
    torture = workloads.torture_names()
    groups = {"torture": torture, "real": [name for name in known if name not in torture]}
    chosen = []
    for name in options.rows.split(",") if options.rows else known:
        if name not in known and name not in groups:
            parser.error(f"there is no row '{name}'; rows: {', '.join([*groups, *known])}")
        chosen += groups.get(name, [name])
    wanted = [*tools_of.DEFAULT, *(tools_of.MORE if options.all else {})]
    if options.options:
        wanted = ["checked", *tools_of.OPTIONS]
    if options.variants:
        wanted = options.variants.split(",")
    for variant in wanted:
        if variant not in tools_of.ALL:
            parser.error(f"there is no variant '{variant}'; variants: {', '.join(tools_of.ALL)}")
    if options.rounds < 1 or options.scale <= 0:
        parser.error("--rounds and --scale must be positive")
    return parser, options, chosen, ["plain"] + [variant for variant in wanted if variant != "plain"]


def measure(tools, options, chosen, variants, work):
    """The results of the rows, and whether nothing is missing."""
    results, complete = [], True
    progress = Progress(len(chosen))
    for name in chosen:
        def tell(what):
            progress.tell(f"{name}: {what}")

        tell("laying out its input")
        folders = [Path(work) / name, Path(work) / f"{name}-short"]
        for folder in folders:
            folder.mkdir()
        try:
            row = workloads.make(name, folders[0], options.scale, tools.torture)
            if row is None:
                raise measuring.RunFailed("its program is not there (tools/dev setup, tools/dev build)")
            result = measuring.measure_row(tools, row, variants, options.rounds, folders[0], tell)
        except measuring.RunFailed as error:
            progress.clear()
            print(f"bench: {name} skipped: {error}", file=sys.stderr)
            complete = False
            continue
        if not options.no_frames:
            short = workloads.make(name, folders[1], options.scale * FRAMES_SCALE, tools.torture)
            result["frames"] = measuring.captured_frames(tools, short, variants, folders[1], tell)
        results.append(result)
        complete = complete and not any("failed" in entry for entry in result["variants"].values())
        progress.done += 1
    progress.clear()
    return results, complete


def main():
    parser, options, chosen, variants = parse_arguments()
    tools = tools_of.Tools(options.build.resolve())
    if not tools.measure.exists():
        parser.error(f"{tools.measure} does not exist: build first (tools/dev build)")
    about = machine()
    with tempfile.TemporaryDirectory(prefix="mallocspy-bench-") as work:
        results, complete = measure(tools, options, chosen, variants, work)
    if options.json:
        json.dump({"schema": "mallocspy-bench/2", "machine": about, "rounds": options.rounds, "scale": options.scale,
                   "columns": {name: tools_of.ALL[name] for name in variants}, "rows": results}, sys.stdout, indent=1)
        print()
    else:
        print(f"{about['cpu']}, {about['cpus']} CPUs, {about['libc']}, load {about['load']:.1f} at the start; "
              f"medians of {options.rounds}" + (f", scale {options.scale:g}" if options.scale != 1 else ""))
        for name in variants:
            print(f"  {name:<11} {tools_of.ALL[name]}")
        tables.print_tables(results, variants, sys.stdout)
    return 0 if complete else 1


if __name__ == "__main__":
    sys.exit(main())
