#!/usr/bin/env python3
"""bench_test.py BENCH BUILD: one short round of two rows; checks the JSON, not the numbers."""

import json
import subprocess
import sys
from pathlib import Path

sys.dont_write_bytecode = True
bench, build = sys.argv[1:]
done = subprocess.run(
    [sys.executable, bench, "--build", build, "--rounds", "1", "--scale", "0.01", "--rows", "jq,sqlite3", "--json"],
    stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
report = json.loads(done.stdout)
assert report["schema"] == "mallocspy-bench/1", report["schema"]
assert [row["name"] for row in report["rows"]] == ["jq", "sqlite3"]
for row in report["rows"]:
    for variant in ("plain", "record", "run", "heaptrack", "lsan"):
        entry = row["variants"][variant]
        assert "failed" not in entry, f"{row['name']}, {variant}: {entry['failed']}"
        assert len(entry["samples"]) == 1, entry
        for metric in ("wall_s", "cpu_s", "peak_rss_kb"):
            assert entry["samples"][0][metric] > 0, (row["name"], variant, metric)
assert done.returncode == 0, done.returncode

# A program that ends otherwise than the plain one must be refused, not measured.
sys.path.insert(0, str(Path(bench).parent))
import bench as subject  # noqa: E402
import workloads  # noqa: E402

row = workloads.Row("made-up", "", ["true"])
plain = {"exit": 0, "stdout": b"1\n"}
assert subject.judge(row, "record", {"exit": 0, "stdout": b"1\n"}, plain) is None
assert subject.judge(row, "record", {"exit": 139, "stdout": b"1\n"}, plain)
assert subject.judge(row, "record", {"exit": 0, "stdout": b""}, plain)
assert subject.judge(row, "heaptrack", {"exit": 0, "stdout": b"starting\n1\nended\n"}, plain) is None
assert subject.judge(row, "heaptrack", {"exit": 0, "stdout": b"starting\nended\n"}, plain)
print("ok")
