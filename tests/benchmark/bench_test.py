#!/usr/bin/env python3
"""bench_test.py BENCH BUILD: one short round of a few rows of each kind under every default variant; checks that each does
what the plain program does, and the JSON, not the numbers."""

import io
import json
import subprocess
import sys
from pathlib import Path

sys.dont_write_bytecode = True
bench, build = sys.argv[1:]
sys.path.insert(0, str(Path(bench).parent))
import measuring  # noqa: E402
import tables  # noqa: E402
import variants as tools_of  # noqa: E402
import workloads  # noqa: E402

ROWS = ["jq", "sqlite3", "redis-server"] + [name for name in workloads.torture_names()
                                            if not name.startswith("tiny-") or name == "tiny-20-64"]


def run_bench(rows, *options):
    done = subprocess.run([sys.executable, bench, "--build", build, "--rounds", "1", "--scale", "0.01", "--rows",
                           ",".join(rows), "--json", *options], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
    assert done.returncode == 0, (done.returncode, done.stdout)
    return json.loads(done.stdout)


report = run_bench(ROWS, "--no-frames")
assert report["schema"] == "mallocspy-bench/2", report["schema"]
assert [row["name"] for row in report["rows"]] == ROWS
assert list(report["columns"]) == list(tools_of.DEFAULT)
for row in report["rows"]:
    for variant in tools_of.DEFAULT:
        entry = row["variants"][variant]
        assert "failed" not in entry, f"{row['name']}, {variant}: {entry['failed']}"
        assert len(entry["samples"]) == 1, entry
        for metric in ("wall_s", "cpu_s", "peak_rss_kb"):
            assert entry["samples"][0][metric] > 0, (row["name"], variant, metric)
        assert entry["samples"][0]["written_bytes"] >= 0, (row["name"], variant)

# A stack of 200 frames is captured whole by us, and cut by heaptrack, which keeps 62 of them.
report["rows"].append(run_bench(["tiny-200-1"], "--variants=checked,heaptrack")["rows"][0])
frames = report["rows"][-1]["frames"]
assert 190 < frames["ours"]["mean_frames"] <= 200 and frames["ours"]["truncated"] == 0, frames
assert frames["heaptrack"]["mean_frames"] <= 62 and frames["heaptrack"]["truncated"] > 0.9, frames

# A program that ends otherwise than the plain one must be refused, not measured.
row = workloads.Row("made-up", "", ["true"])
plain = {"exit": 0, "stdout": b"1\n"}
assert measuring.judge(row, "record", {"exit": 0, "stdout": b"1\n"}, plain) is None
assert measuring.judge(row, "record", {"exit": 139, "stdout": b"1\n"}, plain)
assert measuring.judge(row, "record", {"exit": 0, "stdout": b""}, plain)
assert measuring.judge(row, "heaptrack", {"exit": 0, "stdout": b"starting\n1\nended\n"}, plain) is None
assert measuring.judge(row, "heaptrack", {"exit": 0, "stdout": b"starting\nended\n"}, plain)

# The tables fit a terminal of 100 columns, also with a failed variant and all of them.
report["rows"][0]["variants"]["lsan"] = {"failed": "exit status 1, plain has 0"}
out = io.StringIO()
tables.print_tables(report["rows"], [*tools_of.DEFAULT, *tools_of.MORE], out)
tables.print_tables(report["rows"], ["plain", "checked", *tools_of.OPTIONS], out)
text = out.getvalue()
too_long = [line for line in text.splitlines() if len(line) > 100 and not line.startswith("  lsan: ")]
assert not too_long, too_long
assert "failed" in text and "geometric mean" in text and "2-own" in text, text
print("ok")
