"""Single runs of a row under a variant, and all the rounds of a row.

  wall_s         from start to the end of the program (with `run`, `lsan`, `valgrind`: and of the report); of a server:
                 from the first to the last answer that its client got
  cpu_s          user and system time of the whole process tree
  peak_rss_kb    peak resident memory of the largest process of the tree
  written_bytes  pages of files that the tree made dirty, as the kernel counts them (getrusage's ru_oublock): whole pages,
                 also of files that are mapped or deleted later; nothing on a tmpfs
"""

import hashlib
import json
import os
import signal
import statistics
import subprocess
import tempfile
from pathlib import Path

from variants import OURS

METRICS = ("wall_s", "cpu_s", "peak_rss_kb", "written_bytes")
RUN_LIMIT_S = 300
# What takes longer than this, and is not the plain program, is run in the first round only.
SLOW_RUN_S = 10


def run_once(tools, row, variant, work, keep=False):
    """One measured run: a dict of the metrics with `exit` and `stdout` (bytes); with `keep` what was captured instead."""
    with tempfile.TemporaryDirectory(dir=work) as scratch:
        argv, extra = tools.dress(variant, row.argv, scratch, keep)
        env = {**row.env, **extra}
        if "LD_PRELOAD" in row.env and "LD_PRELOAD" in extra:
            env["LD_PRELOAD"] = extra["LD_PRELOAD"] + ":" + row.env["LD_PRELOAD"]
        # `measure` sets the variables for the program; itself it must stay plain.
        command = [str(tools.measure), *[f"{key}={value}" for key, value in env.items()], *argv]
        result_path = Path(scratch) / "result"
        answered = None
        with open(result_path, "wb"), open(Path(scratch) / "out", "w+b") as out:
            process = subprocess.Popen(
                ["/bin/sh", "-c", 'exec "$@" 3>"$0"', str(result_path), *command], stdin=subprocess.DEVNULL, stdout=out,
                stderr=subprocess.DEVNULL, cwd=work, start_new_session=True)
            try:
                if row.client:
                    answered = row.client(process, Path(work))
                process.wait(timeout=RUN_LIMIT_S)
            except subprocess.TimeoutExpired as error:
                raise RunFailed(f"did not end within {error.timeout:.0f} s") from None
            finally:
                end_session(process)
            out.seek(0)
            printed = out.read()
        text = result_path.read_text()
        if not text:
            raise RunFailed(f"the measuring program ended with {process.returncode}")
        sample = {**json.loads(text), "stdout": printed}
        if answered is not None:
            sample["wall_s"], sample["stdout"] = answered
        if keep:
            sample["captured"] = tools.captured(variant, scratch)
        return sample


class RunFailed(Exception):
    pass


def end_session(process):
    """Nothing of a run may outlive it: all of it is in a session of its own."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


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


def attempt(tools, row, variant, work, expected):
    """A sample and None, or None and why there is none."""
    reason = tools.missing(variant)
    if reason is not None:
        return None, reason
    try:
        sample = run_once(tools, row, variant, work)
    except RunFailed as error:
        return None, str(error)
    reason = judge(row, variant, sample, expected)
    return (sample, None) if reason is None else (None, reason)


def measure_row(tools, row, variants, rounds, work, tell=lambda what: None):
    """All rounds of one row: {"name", "variants": {name: {"samples", "median", "ratio", "spread"} or {"failed"}}}."""
    tell("a first plain run")
    try:
        expected = run_once(tools, row, "plain", work)  # also warms the caches
    except RunFailed as error:
        raise RunFailed(f"the plain run {error}") from None
    if expected["exit"] != 0:
        raise RunFailed(f"the plain run ended with status {expected['exit']}")
    samples = {variant: [] for variant in variants}
    failed = {}
    for number in range(rounds):
        shift = number % len(variants)
        for variant in variants[shift:] + variants[:shift]:
            slow = variant != "plain" and samples[variant] and samples[variant][0]["wall_s"] > SLOW_RUN_S
            if variant in failed or slow:
                continue
            tell(f"round {number + 1} of {rounds}, {variant}")
            sample, reason = attempt(tools, row, variant, work, expected)
            if reason is not None:
                failed[variant] = reason
                continue
            samples[variant].append({metric: sample[metric] for metric in METRICS})
    if "plain" in failed:
        raise RunFailed(f"a plain run did not do what the first one did: {failed['plain']}")
    result = {"name": row.name, "what": row.what, "group": row.group, "argv": row.argv, "blocks": row.blocks,
              "stdout_sha256": hashlib.sha256(expected["stdout"]).hexdigest(), "variants": {}}
    for variant in variants:
        result["variants"][variant] = ({"failed": failed[variant]} if variant in failed
                                       else summary(samples[variant], samples["plain"]))
    return result


def summary(mine, plain):
    """A ratio is the median over the rounds of variant / plain of the same round."""
    entry = {"samples": mine, "median": {}, "ratio": {}, "spread": {}}
    for metric in METRICS:
        ratios = sorted(a[metric] / b[metric] for a, b in zip(mine, plain) if b[metric])
        entry["median"][metric] = statistics.median(a[metric] for a in mine)
        entry["ratio"][metric] = statistics.median(ratios) if ratios else None
        entry["spread"][metric] = [ratios[0], ratios[-1]] if ratios else None
    return entry


def captured_frames(tools, row, variants, work, tell=lambda what: None):
    """{variant: what Tools.captured() says, or None} of one extra run each, unmeasured. Our variants capture alike: one run."""
    found = {}
    for variant in variants:
        if variant in ("plain", "lsan", "valgrind") or tools.missing(variant) is not None:
            continue
        name = "ours" if variant in OURS else variant
        if name in found:
            continue
        tell(f"frames captured, {name}")
        try:
            found[name] = run_once(tools, row, variant, work, keep=True)["captured"]
        except RunFailed:
            found[name] = None
    return found
