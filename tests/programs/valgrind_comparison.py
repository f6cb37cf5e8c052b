"""Real programs at the same work under mallocspy and under Valgrind's memcheck: each class of blocks, stack by stack.

    valgrind_comparison.py BUILD_FOLDER [PROGRAM...]     programs: see WORK; without any, all (minutes)

Prints both sums of each class and every stack that differs. Fails when a definite or indirect leak is only in one of the two reports. What
may differ is told apart by class only, since chance decides it, with these causes:

  reachable of forked processes  memcheck lists blocks that a child inherited once more, mallocspy as the parent's alone
  possible <-> reachable         memcheck follows no word that was never written; and a table hashed by addresses (LLVM) holds others each time
  some stacks of one block       it grows with the environment, which both change, or its size with an address
"""

import collections
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree

import real_programs
from observed_run import TIMEOUT_SECONDS, Build, environment, every_report

CLASSES = {"Leak_DefinitelyLost": "definite", "Leak_IndirectlyLost": "indirect", "Leak_PossiblyLost": "possible",
           "Leak_StillReachable": "reachable"}
DECISIVE = ("definite", "indirect")
DEPTH = 16
# Where memcheck ends a stack.
OUTERMOST = ("main", "__libc_start_call_main", "(below main)", "start_thread", "_dl_start_user")
# Without what runs at the end in memcheck's favour: libc's own blocks are compared, too.
VALGRIND = ["valgrind", "-q", "--leak-check=full", "--show-leak-kinds=all", "--leak-resolution=high", "--xml=yes", f"--num-callers={DEPTH + 4}",
            "--run-libc-freeres=no", "--run-cxx-freeres=no", "--read-inline-info=no", "--trace-children=yes"]
DIRECT = re.compile(r"\(([\d,]+) direct,")  # of a definite block: without those that are lost with it


class Blocks(dict):
    """(stack, class) -> [blocks, bytes]. A stack's frames are (module, place in its page): independent of names and of where it was loaded."""

    names = {}

    def add(self, frames, kind, blocks, size):
        stack = []
        for function, module, address in frames[:DEPTH]:
            frame = pathlib.Path(os.path.realpath(module or "?")).name, address & 0xfff
            Blocks.names.setdefault(frame, function or f"({frame[0]})")
            stack.append(frame)
            if function in OUTERMOST:
                break
        entry = self.setdefault((tuple(stack), kind), [0, 0])
        entry[0] += blocks
        entry[1] += size

    def total(self, kind):
        return tuple(sum(value[i] for (_, of), value in self.items() if of == kind) for i in (0, 1))

    def of(self, stack):
        return {kind: tuple(self[stack, kind]) for kind in CLASSES.values() if (stack, kind) in self}


def mallocspys(report):
    found = Blocks()
    for process in every_report(report):
        for leak in process["leaks"]:
            frames = [(frame["function"], frame["module"], frame["offset"] - 1) for frame in leak["frames"] if not frame["inlined"]]
            found.add(frames, leak["class"], leak["blocks"], leak["bytes"])
    return found


def valgrinds(folder):
    found = Blocks()
    for file in sorted(folder.glob("*.xml")):
        for error in xml.etree.ElementTree.parse(file).iter("error"):
            kind = CLASSES.get(error.findtext("kind"))
            if kind is None:
                continue
            what = error.find("xwhat")
            direct = DIRECT.search(what.findtext("text"))
            size = direct.group(1).replace(",", "") if direct else what.findtext("leakedbytes")
            frames = [(frame.findtext("fn"), frame.findtext("obj"), int(frame.findtext("ip"), 16))
                      for frame in error.find("stack").iter("frame") if "vgpreload" not in (frame.findtext("obj") or "")]
            found.add(frames, kind, int(what.findtext("leakedblocks")), int(size))
    return found


def git_tree(folder, env):
    def git(*step):
        subprocess.run(["git", *step], cwd=folder, env=env, check=True, capture_output=True)
    git("init", "-q", "tree")
    for setting, value in (("gc.auto", "0"), ("pack.threads", "1")):
        git("-C", "tree", "config", setting, value)
    for number in range(3):
        for name in range(5):
            (folder / f"tree/file{name}").write_text(f"{name} {number}\n" * 200, encoding="utf-8")
        git("-C", "tree", "add", "-A")
        git("-C", "tree", "commit", "-q", "-m", f"Step {number}")


def shorter(script):
    return script.replace("20000", "2000").replace("seq 1 15", "seq 1 2")


GIT = {f"GIT_{who}_{what}": value for who in ("AUTHOR", "COMMITTER") for what, value in
       (("NAME", "A"), ("EMAIL", "a@example.com"), ("DATE", "1700000000 +0000"))} | {"GIT_CONFIG_NOSYSTEM": "1", "GIT_PAGER": "cat"}
# Name -> (command, further environment).
WORK = {
    "jq": (["jq", "-c", "group_by(.name) | map({name: .[0].name, n: length})", "data.json"], {}),
    "perl": (["perl", "-e", shorter(real_programs.PERL_SCRIPT)], {"PERL_HASH_SEED": "0"}),
    "sqlite": (["sqlite3", "-batch", ":memory:", ".read script.sql"], {}),
    "lua": (["lua", "-e", "local t = {} for i = 1, 9999 do t[i] = ('x'):rep(i % 50) .. i end print(#table.concat(t))"], {}),
    "python": (["/usr/bin/python3", "-c", shorter(real_programs.PYTHON_SCRIPT)], {"PYTHONHASHSEED": "0"}),
    "python_malloc": (["/usr/bin/python3", "-c", shorter(real_programs.PYTHON_SCRIPT)], {"PYTHONHASHSEED": "0", "PYTHONMALLOC": "malloc"}),
    "bash": (["bash", "-c", shorter(real_programs.BASH_SCRIPT)], {}),
    "git_log": (["git", "-C", "tree", "log", "-p", "--stat"], GIT),
    "git_diff": (["git", "-C", "tree", "diff", "HEAD~2"], GIT),
    "git_blame": (["git", "-C", "tree", "blame", "file1"], GIT),
    "git_repack": (["git", "-C", "tree", "repack", "-adfq"], GIT),
    "git_fsck": (["git", "-C", "tree", "fsck", "--full"], GIT),
    "clang": (["clang++", "-O1", "-c", "matches.cc", "-o", "matches.o"], {}),
    "redis": (["redis-server", "--port", "0", "--unixsocket", "redis.sock", "--save", "", "--appendonly", "no"], {}),
}


def prepare(folder, command, env):
    data = [{"id": i, "name": f"name {i % 101}"} for i in range(400)]
    (folder / "data.json").write_text(json.dumps(data), encoding="utf-8")
    (folder / "script.sql").write_text(shorter(real_programs.SQL), encoding="utf-8")
    (folder / "matches.cc").write_text(real_programs.REGEX_SOURCE, encoding="utf-8")
    if command[0] == "git":
        git_tree(folder, env)


def use_redis(folder):
    def client(*command):
        return subprocess.run(["redis-cli", "-s", folder / "redis.sock", *command], capture_output=True, check=False,
                              timeout=TIMEOUT_SECONDS).stdout
    deadline = time.monotonic() + TIMEOUT_SECONDS
    while client("ping") != b"PONG\n" and time.monotonic() < deadline:
        time.sleep(0.1)
    numbers = [str(i) for i in range(300)]
    for command in (["set", "k", "v" * 100], ["append", "k", "w"], ["lpush", "l", *numbers], ["hset", "h", *numbers], ["sadd", "s", *numbers],
                    ["sort", "l"], ["eval", "return redis.call('get', 'k')", "0"], ["flushall"], ["shutdown", "nosave"]):
        client(*command)


def run(wrapper, command, folder, env):
    with subprocess.Popen([*wrapper, *command], cwd=folder, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL) as process:
        if command[0] == "redis-server":
            use_redis(folder)
        return process.wait()


def compare(build, name):
    """Prints the differences; whether a definite or indirect leak is among them."""
    command, variables = WORK[name]
    with tempfile.TemporaryDirectory(prefix="valgrind_comparison.") as text:
        folder = pathlib.Path(text)
        env = environment(LC_ALL="C.UTF-8", HOME=text, **variables)
        prepare(folder, command, env)
        report = folder / "report.json"
        statuses = (run([build.command, "run", "--fail-on=none", "--format=json", f"--output={report}", "--"], command, folder, env),
                    run([*VALGRIND, f"--xml-file={folder}/%p.xml"], command, folder, env))
        ours, theirs = mallocspys(json.loads(report.read_text(encoding="utf-8"))), valgrinds(folder)
    print(f"{name}: statuses {statuses[0]} and {statuses[1]}")
    for kind in CLASSES.values():
        print("  {:9}  mallocspy {:6} blocks {:9} bytes   memcheck {:6} blocks {:9} bytes".format(kind, *ours.total(kind), *theirs.total(kind)))
    failed = statuses[0] != statuses[1]
    for stack in sorted({stack for stack, _ in [*ours, *theirs]}):
        left, right = ours.of(stack), theirs.of(stack)
        if left != right:
            failed = failed or any(left.get(kind) != right.get(kind) for kind in DECISIVE)
            print(f"  mallocspy {left}, memcheck {right}:\n    " + " < ".join(Blocks.names[frame] for frame in stack))
    return failed


if __name__ == "__main__":
    different = [name for name in sys.argv[2:] or WORK if compare(Build(sys.argv[1]), name)]
    if different:
        sys.exit(f"definite or indirect leaks differ: {' '.join(different)}")
