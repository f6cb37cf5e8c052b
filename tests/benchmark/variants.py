"""What a plain command becomes under each tool that the benchmark compares, and what the tools' own files say of stacks."""

import ctypes.util
import json
import re
import shutil
import subprocess
from pathlib import Path

DEFAULT = {
    "plain": "the program alone",
    "record": "libmallocspy.so preloaded, guard=0:report=none: the record by itself",
    "checked": "libmallocspy.so preloaded, report=none: all default checks (guards), without the report",
    "run": "mallocspy run: all default checks, and the report at the end, as in CI",
    "heaptrack": "heaptrack -r: record only, no interpretation",
    "lsan": "LeakSanitizer preloaded, with its check at exit",
}
# Behind --all: slow, or seldom used on whole programs.
MORE = {
    "jemalloc": "libjemalloc preloaded, every allocation sampled (lg_prof_sample:0), profile at exit",
    "gperftools": "libtcmalloc preloaded, heap profiler with its default dumps (HEAPPROFILE)",
    "valgrind": "valgrind memcheck --leak-check=full",
}
# What each option costs beside the default checks: behind --options.
_OPTION_TEXTS = {"page-1000": "page_guard=1000", "fill": "fill=1", "quarantine": "quarantine_mb=64", "ceiling": "max_bytes=100000000000",
                 "ownership": "ownership=1", "check-every": "check_every=1000000", "page-all": "page_guard=1"}
OPTIONS = {name: f"libmallocspy.so preloaded, report=none:{text}" for name, text in _OPTION_TEXTS.items()}
ALL = {**DEFAULT, **MORE, **OPTIONS}
OURS = ("record", "checked", "run", *OPTIONS)

# Frames that a tool keeps of a stack, at most: libheaptrack's trace of 64 less the two that it skips, tcmalloc's
# kMaxStackDepth, jemalloc's prof_bt_max.
_KEPT_FRAMES = {"heaptrack": 62, "gperftools": 32, "jemalloc": 128}


class Tools:
    """Where the things are that make a plain command a variant of it."""

    def __init__(self, build):
        self.command = build / "bin" / "mallocspy"
        self.library = build / "lib" / "libmallocspy.so"
        self.measure = build / "bin" / "measure"
        self.captured_frames = build / "bin" / "captured_frames"
        self.lsan_start = build / "lib" / "liblsan_start.so"
        self.torture = build / "tests" / "benchmark" / "torture"
        self.lsan = ctypes.util.find_library("lsan")
        self.jemalloc = ctypes.util.find_library("jemalloc")
        self.tcmalloc = ctypes.util.find_library("tcmalloc")
        self.heaptrack = shutil.which("heaptrack")
        self.valgrind = shutil.which("valgrind")
        self._jemalloc_profiles = None

    def missing(self, variant):
        """Why the variant cannot run, or None."""
        built = {"run": [self.library, self.command], "lsan": [self.lsan_start], **{name: [self.library] for name in OURS if name != "run"}}
        for path in built.get(variant, []):
            if not path.exists():
                return f"{path.name} is not built (tools/dev build)"
        installed = {"heaptrack": self.heaptrack, "lsan": self.lsan, "jemalloc": self.jemalloc,
                     "gperftools": self.tcmalloc, "valgrind": self.valgrind}
        if variant in installed and not installed[variant]:
            return f"{variant} is not installed (tools/dev setup)"
        if variant == "jemalloc" and not self._jemalloc_can_profile():
            return "this libjemalloc was built without profiling"
        return None

    def _jemalloc_can_profile(self):
        if self._jemalloc_profiles is None:
            done = subprocess.run(["/bin/true"], env={"LD_PRELOAD": self.jemalloc, "MALLOC_CONF": "stats_print:true"},
                                  stdin=subprocess.DEVNULL, capture_output=True, text=True)
            self._jemalloc_profiles = "config.prof: true" in done.stderr
        return self._jemalloc_profiles

    def dress(self, variant, argv, scratch, keep=False):
        """The command and environment of one run. With `keep` also our library leaves a file, and jemalloc's counts what
        was freed: for captured()."""
        env = {}
        if variant in OURS and (keep or variant != "run"):
            options = "report=none" + (":guard=0" if variant == "record" else f":{_OPTION_TEXTS[variant]}" if variant in _OPTION_TEXTS else "")
            if keep:
                options += f":keep={scratch}/%p.mspy"
            env = {"LD_PRELOAD": str(self.library), "MALLOCSPY_OPTIONS": options}
        elif variant == "run":
            argv = [str(self.command), "run", "--fail-on=none", f"--output={scratch}/report", "--"] + argv
        elif variant == "heaptrack":
            argv = [self.heaptrack, "-r", "-o", f"{scratch}/heaptrack"] + argv
        elif variant == "lsan":
            env = {"LD_PRELOAD": f"{self.lsan}:{self.lsan_start}", "LSAN_OPTIONS": "exitcode=0"}
        elif variant == "jemalloc":
            conf = f"prof:true,prof_active:true,lg_prof_sample:0,prof_final:true,prof_prefix:{scratch}/jemalloc"
            env = {"LD_PRELOAD": self.jemalloc, "MALLOC_CONF": conf + (",prof_accum:true" if keep else "")}
        elif variant == "gperftools":
            env = {"LD_PRELOAD": self.tcmalloc, "HEAPPROFILE": f"{scratch}/gperftools"}
        elif variant == "valgrind":
            argv = [self.valgrind, "-q", "--leak-check=full", f"--log-file={scratch}/valgrind.%p"] + argv
        return argv, env

    def captured(self, variant, scratch):
        """What the tool's files in `scratch` say of the stacks of all allocations:
        {"allocations", "mean_frames", "truncated"}, or None where they do not say."""
        scratch = Path(scratch)
        if variant in OURS:
            counted = self._of_snapshots(sorted(scratch.glob("*.mspy")))
        elif variant == "heaptrack":
            counted = _of_heaptrack(sorted(scratch.glob("heaptrack*.raw.*")))
        elif variant == "gperftools":
            counted = _of_heap_profiles(_last_of_each_process(scratch), _KEPT_FRAMES[variant])
        elif variant == "jemalloc":
            counted = _of_heap_profiles(sorted(scratch.glob("jemalloc*.heap")), _KEPT_FRAMES[variant])
        else:
            return None
        if counted is None or counted[0] == 0:
            return None
        allocations, frames, truncated = counted
        return {"allocations": allocations, "mean_frames": frames / allocations, "truncated": truncated / allocations}

    def _of_snapshots(self, files):
        if not files or not self.captured_frames.exists():
            return None
        done = subprocess.run([str(self.captured_frames), *map(str, files)], capture_output=True, text=True)
        if done.returncode != 0:
            return None
        found = json.loads(done.stdout)
        return found["allocations"], found["frames"], found["truncated"]


def _of_heaptrack(files):
    """Of its raw record: `t ADDRESS PARENT` makes the next trace, `+ SIZE TRACE POINTER` is an allocation, all in hex."""
    allocations = frames = truncated = 0
    for file in files:
        unpack = {".zst": "zstdcat", ".gz": "zcat"}.get(file.suffix)
        if unpack is None or shutil.which(unpack) is None:
            return None
        depths = [0]
        with subprocess.Popen([unpack, str(file)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as lines:
            for line in lines.stdout:
                kind = line[:1]
                if kind == b"t":
                    depths.append(depths[int(line.split()[2], 16)] + 1)
                elif kind == b"+":
                    depth = depths[int(line.split()[2], 16)]
                    allocations += 1
                    frames += depth
                    truncated += depth >= _KEPT_FRAMES["heaptrack"]
    return allocations, frames, truncated


# "live: bytes [all: bytes] @ address address ...", tcmalloc's; jemalloc has the addresses in a line before.
_COUNTS = re.compile(r"^\s*(?:t\*|\d+):\s.*\[\s*(\d+):\s*\d+\]")


def _of_heap_profiles(files, kept_frames):
    allocations = frames = truncated = 0
    for file in files:
        depth = None
        for line in file.read_text(errors="replace").splitlines():
            if line.startswith("MAPPED_LIBRARIES"):
                break
            if line.startswith("heap"):
                continue
            if "@" in line:
                depth = len(line.split("@", 1)[1].split())
            found = _COUNTS.match(line)
            if found and depth is not None:
                count = int(found.group(1))
                allocations += count
                frames += count * depth
                truncated += count * (depth >= kept_frames)
            if not line.startswith("@"):
                depth = depth if line.startswith("  t") else None
    return allocations, frames, truncated


def _last_of_each_process(scratch):
    """tcmalloc numbers its dumps; each counts from the start. A child's have its process id before the number."""
    last = {}
    for file in sorted(scratch.glob("gperftools*.heap")):
        last[file.name.rsplit(".", 2)[0]] = file
    return list(last.values())
