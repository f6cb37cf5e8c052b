"""Running processes: ps, top, mark, dump and check.

    run_live.py BUILD_FOLDER [TEST...]
"""

import contextlib
import json
import os
import pathlib
import re
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

from obedient import Obedient
from observed_run import TIMEOUT_SECONDS, Build, Observed, environment

NO_PROCESS = 27


class LiveTest(unittest.TestCase):
    build = None

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="run_live."))
        self.addCleanup(shutil.rmtree, self.folder)

    def command(self, *arguments, **options):
        return Observed([self.build.command, *arguments], **options)

    def succeed(self, *arguments):
        seen = self.command(*arguments)
        self.assertEqual(seen.status, 0, seen)
        return seen.stdout.decode()

    def refused(self, *arguments, status=NO_PROCESS, **options):
        """The one sentence that says why."""
        seen = self.command(*arguments, **options)
        self.assertEqual(seen.status, status, seen)
        lines = seen.stderr.decode().splitlines()
        self.assertTrue(lines and lines[0].startswith("mallocspy: "), seen)
        if status == NO_PROCESS:
            self.assertEqual(len(lines), 1, seen)
        return lines[0]

    def dump(self, pid, name="x.mspy", *options):
        path = str(self.folder / name)
        text = self.succeed("dump", str(pid), "-o", path, *options)
        self.assertRegex(text, r"stood still for [0-9.]+ ms; mark \d+ began with it")
        return path

    def report(self, path):
        seen = self.command("report", "--format=json", "--fail-on=none", path)
        self.assertEqual(seen.status, 0, seen)
        return json.loads(seen.stdout)

    def blocks_of(self, report, function):
        """Blocks and bytes by class, of stacks that begin in that function."""
        found = {}
        for leak in report["leaks"]:
            if leak["frames"] and (leak["frames"][0]["function"] or "").endswith(function):
                blocks, size = found.get(leak["class"], (0, 0))
                found[leak["class"]] = (blocks + leak["blocks"], size + leak["bytes"])
        return found

    def top(self, pid, *options):
        return json.loads(self.succeed("top", "--once", "--json", *options, str(pid)))

    def held_by(self, top, function):
        rows = [row for row in top["stacks"] if row["frames"] and (row["frames"][0]["function"] or "").endswith(function)]
        return sum(row["live_blocks"] for row in rows), sum(row["live_bytes"] for row in rows)

    def test_top_tells_what_is_held_at_any_moment(self):
        with Obedient(self.build) as program:
            for order, expected in (("keep 100 1000", (100, 100000)), ("keep 5 7", (105, 100035)), ("drop 50", (55, 55000))):
                program.tell(order)
                self.assertEqual(self.held_by(self.top(program.pid), "Keep(unsigned long, unsigned long)"), expected)
            top = self.top(program.pid)
            self.assertEqual(top["schema"], "mallocspy-top/1")
            self.assertEqual(top["process"]["pid"], program.pid)
            self.assertTrue(top["process"]["exe"].endswith("/obeys"))
            self.assertEqual(sum(row["live_bytes"] for row in top["stacks"]), top["totals"]["live_bytes"])
            self.assertEqual(len(top["stacks"]), top["stacks_of"])

    def test_top_as_text_sorted_and_filtered(self):
        with Obedient(self.build) as program:
            program.tell("keep 100 1000")
            program.tell("lose 1000 10")
            text = self.succeed("top", "--once", str(program.pid))
            self.assertRegex(text, rf"^obeys \(pid {program.pid}\): .* blocks, peak ")
            first = next(line for line in text.splitlines() if line.strip().startswith("100000"))
            self.assertIn("Keep", first)
            by_blocks = [line for line in self.succeed("top", "--once", "--sort=blocks", str(program.pid)).splitlines() if "malloc" in line]
            self.assertIn("Lose", by_blocks[0])
            filtered = self.succeed("top", "--once", "--filter=lose", str(program.pid))
            self.assertIn("Lose", filtered)
            self.assertNotIn("Keep", filtered)
            self.assertIn("no stack contains that", self.succeed("top", "--once", "--filter=nothing-of-the-kind", str(program.pid)))
            self.assertIn("did you mean 'blocks'?", self.refused("top", "--once", "--sort=block", str(program.pid), status=2))

    def test_ps_lists_recorded_processes(self):
        with Obedient(self.build) as program, subprocess.Popen(["sleep", "100"], env=environment()) as plain:
            try:
                program.tell("keep 3 1000")
                listed = json.loads(self.succeed("ps", "--json"))
                own = [process for process in listed["processes"] if process["pid"] == program.pid]
                self.assertEqual(len(own), 1)
                self.assertGreaterEqual(own[0]["live_bytes"], 3000)
                self.assertNotIn(plain.pid, [process["pid"] for process in listed["processes"]])
                self.assertRegex(self.succeed("ps"), rf"(?m)^ *{program.pid} .*/obeys$")
            finally:
                plain.kill()

    def test_a_dump_agrees_with_the_ledger_to_the_byte(self):
        with Obedient(self.build) as program:
            program.tell("keep 1000 100")
            program.tell("lose 10 77")
            totals = self.top(program.pid)["totals"]
            report = self.report(self.dump(program.pid))
            self.assertEqual((report["totals"]["live_bytes"], report["totals"]["live_blocks"]), (totals["live_bytes"], totals["live_blocks"]))
            self.assertEqual(report["verdict"]["reachability"], "complete")
            self.assertEqual(self.blocks_of(report, "Keep(unsigned long, unsigned long)"), {"reachable": (1000, 100000)})
            lost = self.blocks_of(report, "Lose(unsigned long, unsigned long)")
            self.assertEqual(sum(blocks for blocks, _ in lost.values()), 10)
            self.assertGreaterEqual(lost.get("definite", (0, 0))[0], 9)

    def test_marks_number_what_is_made_after_them(self):
        with Obedient(self.build) as program:
            program.tell("keep 10 100")
            first = int(re.match(r"mark (\d+) begins: warm up\n", self.succeed("mark", str(program.pid), "warm up")).group(1))
            program.tell("lose 20 200")
            second = int(re.match(r"mark (\d+) begins: \\x1b\[31mred\n", self.succeed("mark", str(program.pid), "\x1b[31mred")).group(1))
            self.assertEqual(second, first + 1)
            report = self.report(self.dump(program.pid))
            marks = {name: leak["mark"] for name in ("Keep", "Lose") for leak in report["leaks"]
                     if leak["frames"] and f"::{name}(" in (leak["frames"][0]["function"] or "")}
            self.assertEqual((marks["Keep"], marks["Lose"]), (first - 1, first))
            self.assertIn("at most", self.refused("mark", str(program.pid), "x" * 64, status=2))

    def test_check_of_a_running_process(self):
        with Obedient(self.build) as program:
            program.tell("keep 10 100")
            seen = self.command("check", str(program.pid))
            self.assertEqual(seen.status, 0, seen)
            program.tell("lose 10 77")
            seen = self.command("check", str(program.pid))
            self.assertEqual(seen.status, 23, seen)
            self.assertRegex(seen.stderr.decode(), r"leak of 770 byte\(s\) in 10 object\(s\) allocated from:\n +#0 .*Lose")
            program.tell("keep 1 1")  # it goes on

    def test_a_dump_under_run(self):
        kept = self.folder / "kept.mspy"
        with Obedient(self.build, under_run=("--fail-on=none", f"--keep={kept}")) as program:
            program.tell("keep 30 300")
            self.assertEqual(self.held_by(self.top(program.pid), "Keep(unsigned long, unsigned long)"), (30, 9000))
            report = self.report(self.dump(program.pid))
            self.assertEqual(self.blocks_of(report, "Keep(unsigned long, unsigned long)"), {"reachable": (30, 9000)})
            program.tell("drop 30")
            self.assertEqual(program.end()[0], 0)
        self.assertEqual(self.blocks_of(self.report(str(kept)), "Keep(unsigned long, unsigned long)"), {})

    def test_what_a_killed_process_held(self):
        kept = self.folder / "kept.mspy"
        with Obedient(self.build, under_run=("--fail-on=none", f"--keep={kept}")) as program:
            program.tell("keep 30 300")
            before = self.held_by(self.top(program.pid), "Keep(unsigned long, unsigned long)")
            os.kill(program.pid, signal.SIGKILL)
            program.process.wait(TIMEOUT_SECONDS)
        leaks = self.report(str(kept))["leaks"]
        held = [leak for leak in leaks if leak["frames"] and "Keep" in (leak["frames"][0]["function"] or "")]
        self.assertEqual((sum(leak["blocks"] for leak in held), sum(leak["bytes"] for leak in held)), before)

    def test_while_threads_allocate(self):
        with Obedient(self.build) as program:
            program.tell("keep 100 100")
            program.tell("threads 3")
            for number in range(10):
                report = self.report(self.dump(program.pid, f"{number}.mspy"))
                self.assertEqual(report["verdict"]["reachability"], "complete")
                self.assertEqual(self.blocks_of(report, "Keep(unsigned long, unsigned long)"), {"reachable": (100, 10000)})
                self.assertEqual(sum(leak["blocks"] for leak in report["leaks"]), report["totals"]["live_blocks"])
            program.tell("drop 100")

    def test_a_thread_with_a_small_stack_answers(self):
        with Obedient(self.build) as program:
            program.tell("small-stack")
            program.tell("keep 10 100")
            report = self.report(self.dump(program.pid))
            self.assertEqual(self.blocks_of(report, "Keep(unsigned long, unsigned long)"), {"reachable": (10, 1000)})
            program.tell("drop 10")

    def test_a_forked_child_has_a_heap_of_its_own(self):
        with Obedient(self.build) as program:
            program.tell("keep 10 100")
            child = program.tell("fork 3 50")
            deadline = time.monotonic() + TIMEOUT_SECONDS
            while self.command("top", "--once", str(child)).status != 0 and time.monotonic() < deadline:
                time.sleep(0.05)
            self.assertEqual(self.held_by(self.top(child), "Keep(unsigned long, unsigned long)"), (3, 150))
            report = self.report(self.dump(child))
            self.assertEqual(self.blocks_of(report, "Keep(unsigned long, unsigned long)"), {"reachable": (3, 150)})
            self.assertEqual(self.held_by(self.top(program.pid), "Keep(unsigned long, unsigned long)"), (10, 1000))

    def test_descriptors_that_the_program_closed(self):
        with Obedient(self.build) as program:
            program.tell("keep 10 100")
            program.tell("close")
            if os.geteuid() != 0:
                self.assertIn("only root", self.refused("top", "--once", str(program.pid)))
                return
            self.assertEqual(self.held_by(self.top(program.pid), "Keep(unsigned long, unsigned long)"), (10, 1000))
            report = self.report(self.dump(program.pid))
            self.assertEqual(self.blocks_of(report, "Keep(unsigned long, unsigned long)"), {"reachable": (10, 1000)})

    def test_the_program_does_not_see_our_signal(self):
        with Obedient(self.build) as program:
            for number in (64, 63, 62):
                self.assertEqual(program.tell(f"take {number}"), 0, "it looks as if nobody had taken it")
                self.dump(program.pid)
                self.assertEqual(program.tell(f"raise {number}"), 64 - number + 1, "it is the program's own now")
            program.tell("default 61")
            self.dump(program.pid)
            program.tell("default 64")
            self.dump(program.pid)

    def test_the_signal_from_anybody_else_is_deadly_as_it_would_be(self):
        for number in (64, 63):
            with Obedient(self.build) as program:
                self.dump(program.pid)
                os.kill(program.pid, number)
                self.assertEqual(program.end()[0], -number)

    def test_a_process_that_blocks_all_signals_is_told_of(self):
        with Obedient(self.build) as program:
            program.tell("keep 10 100")
            program.tell("block")
            self.assertIn("did not answer", self.refused("mark", str(program.pid), "x"))
            self.assertEqual(self.held_by(self.top(program.pid), "Keep(unsigned long, unsigned long)"), (10, 1000))

    def test_what_is_no_recorded_process(self):
        for command in (("top", "--once"), ("dump",), ("check",)):
            self.assertIn("there is no process 999999999", self.refused(*command, "999999999"))
            self.assertIn("there is no process called", self.refused(*command, "no-such-name"))
            self.assertIn("needs one process", self.refused(*command, status=2))
        self.assertIn("there is no process", self.refused("mark", "999999999", "x"))
        with subprocess.Popen(["sleep", "100"], env=environment()) as plain:
            try:
                self.assertIn("runs without mallocspy", self.refused("top", "--once", str(plain.pid)))
                self.assertIn("runs without mallocspy", self.refused("dump", str(plain.pid)))
            finally:
                plain.kill()

    def test_names_stand_for_processes(self):
        name = f"o{os.getpid()}"
        shutil.copy(self.build.programs / "obeys", self.folder / name)
        with Obedient(self.build, program=self.folder / name) as first:
            self.assertEqual(self.top(name)["process"]["pid"], first.pid)
            with Obedient(self.build, program=self.folder / name) as second:
                sentence = self.refused("top", "--once", name)
                self.assertIn(f"2 recorded processes are called {name}", sentence)
                self.assertIn(str(second.pid), sentence)

    @unittest.skipUnless(os.geteuid() == 0, "needs to become another user")
    def test_another_users_process_is_not_permitted(self):
        def become_nobody():
            os.setgroups([])
            os.setgid(65534)
            os.setuid(65534)
        with Obedient(self.build) as program:
            for arguments in (("top", "--once", str(program.pid)), ("dump", str(program.pid)), ("mark", str(program.pid), "x")):
                self.assertIn("not permitted", self.refused(*arguments, preexec_fn=become_nobody))
            self.assertIn(b"could not be looked at", self.command("ps", preexec_fn=become_nobody).stdout)

    def test_a_dump_that_cannot_be_written(self):
        with Obedient(self.build) as program:
            program.tell("keep 10000 100")
            self.assertIn("could not be written", self.refused("dump", str(program.pid), "-o", str(self.folder), status=25))
            self.assertIn("could not be written", self.refused("dump", str(program.pid), "-o", "/nowhere/x.mspy", status=25))

            def limit_files():
                signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
                resource.setrlimit(resource.RLIMIT_FSIZE, (100000, 100000))
            self.assertIn("could not be written", self.refused("dump", str(program.pid), "-o", str(self.folder / "x.mspy"), status=25,
                                                               preexec_fn=limit_files))
            self.assertEqual(list(self.folder.iterdir()), [], "nothing in part is left")
            self.dump(program.pid)  # and it goes on

    def test_an_old_dump_is_replaced_by_a_whole_one(self):
        with Obedient(self.build) as program:
            path = self.dump(program.pid)
            program.tell("keep 10 100")
            self.assertEqual(self.dump(program.pid), path)
            self.assertEqual(self.blocks_of(self.report(path), "Keep(unsigned long, unsigned long)"), {"reachable": (10, 1000)})
            self.assertEqual(os.stat(path).st_mode & 0o777, 0o600)

    def test_an_asker_that_was_killed_leaves_the_process_as_it_was(self):
        with Obedient(self.build) as program:
            program.tell("keep 300000 20")
            for wait in (0.002, 0.02, 0.1, 0.3):
                with subprocess.Popen([self.build.command, "dump", "-q", "-o", str(self.folder / "y.mspy"), str(program.pid)],
                                      env=environment()) as asker:
                    time.sleep(wait)
                    asker.kill()
                program.tell("drop 1")
            self.dump(program.pid)
            deadline = time.monotonic() + TIMEOUT_SECONDS
            while self.copies_of(program) and time.monotonic() < deadline:
                time.sleep(0.1)
            self.assertEqual(self.copies_of(program), [], "no copy stays behind")

    def copies_of(self, program):
        """Processes of its session that do something, but for itself."""
        found = []
        for path in pathlib.Path("/proc").glob("[0-9]*/stat"):
            with contextlib.suppress(OSError):
                pid, rest = path.read_text(encoding="ascii", errors="replace").split(" ", 1)
                state, _, _, session = rest.rsplit(")", 1)[1].split()[:4]
                if int(session) == program.process.pid and int(pid) != program.process.pid and state != "Z":
                    found.append(int(pid))
        return found

    def written(self, path):
        """What `show` says of the block that the order `write` made."""
        explore = lambda *words: json.loads(self.succeed("explore", "--format=json", path, " ".join(words)))
        blocks = explore("blocks", "function=*Write*", "size=64")["rows"]
        self.assertEqual(len(blocks), 1)
        return explore("show", blocks[0]["address"])

    def test_contents_only_if_asked_for(self):
        secret = "the secret is 4711"
        with Obedient(self.build) as program:
            program.tell(f"write {secret}")
            none, pointers, full = (self.dump(program.pid, f"{name}.mspy", f"--contents={name}") for name in ("none", "pointers", "full"))
            self.assertEqual(self.command("dump", "--contents=all", str(program.pid)).status, 2)
            self.assertEqual(self.command("dump", "--contents=full", "--no-graph", str(program.pid)).status, 2)
        self.assertEqual([secret.encode() in pathlib.Path(path).read_bytes() for path in (none, pointers, full)], [False, False, True])
        self.assertNotIn("words", self.written(none))
        words = self.written(pointers)["words"]
        self.assertEqual([row["at"] for row in words], [0, 8])
        self.assertRegex(words[0]["points_to"], r"::Lose\(.*\) in obeys$")
        self.assertRegex(words[1]["points_to"], r"::kept_count in obeys$")
        self.assertNotIn("contents", self.written(pointers))
        shown = self.written(full)
        self.assertEqual(shown["words"], self.written(pointers)["words"])
        self.assertEqual(len(shown["contents"]), 4)
        self.assertEqual("".join(row["text"] for row in shown["contents"])[16:].rstrip("."), secret)
        self.assertTrue(shown["contents"][1]["bytes"].startswith("74 68 65 20"))
        # What was never written takes no room.
        self.assertLess(os.stat(full).st_blocks * 512 - os.stat(none).st_blocks * 512, 60000)

    def test_a_dump_of_its_own_has_the_contents_that_the_option_says(self):
        for contents, expected in (("none", False), ("full", True)):
            with Obedient(self.build, MALLOCSPY_OPTIONS=f"report=none:contents={contents}") as program:
                program.tell("write something private")
                self.assertEqual(program.tell(f"dump {self.folder}/{contents}.mspy"), 0)
            self.assertEqual(b"something private" in (self.folder / f"{contents}.mspy").read_bytes(), expected)

    def test_the_peak_by_stack(self):
        with Obedient(self.build) as program:
            program.tell("keep 10 1000000")
            program.tell("lose 10 50000")
            program.tell("drop 9")
            peak = json.loads(self.succeed("explore", "--format=json", self.dump(program.pid), "peak"))
        rows = {name: (row["peak_blocks"], row["peak_bytes"]) for row in peak["rows"] for name in ("Keep", "Lose") if name in row["function"]}
        self.assertEqual(rows, {"Keep": (10, 10000000), "Lose": (10, 500000)})
        self.assertEqual(peak["total"]["shown_bytes"], peak["total"]["peak_bytes"])

    def diff(self, *paths):
        return json.loads(self.succeed("diff", "--fail-on=none", "--format=json", *paths))["heap"]

    def test_diff_of_two_dumps_tells_what_was_made_in_between(self):
        with Obedient(self.build) as program:
            program.tell("keep 100 1000")
            first = self.dump(program.pid, "first.mspy")
            program.tell("drop 40")
            program.tell("keep 7 300")
            program.tell("lose 3 50")
            heap = self.diff(first, self.dump(program.pid, "second.mspy"))
            self.assertEqual((heap["made"], heap["gone"]), ({"blocks": 10, "bytes": 2250}, {"blocks": 40, "bytes": 40000}))
            self.assertGreaterEqual(heap["stayed"]["blocks"], 60)
            made = {name: stack["made"] for name in ("Keep", "Lose") for stack in heap["stacks"]
                    if stack["made"]["blocks"] and f"::{name}(" in (stack["frames"][0]["function"] or "")}
            self.assertEqual(made, {"Keep": {"blocks": 7, "bytes": 2100}, "Lose": {"blocks": 3, "bytes": 150}})
            text = self.succeed("diff", "--fail-on=none", first, str(self.folder / "second.mspy"))
            self.assertIn("2250 bytes in 10 blocks made in between and still live, 40000 bytes in 40 blocks gone", text)

    def test_a_program_dumps_itself(self):
        with Obedient(self.build) as program:
            program.tell("keep 10 100")
            mark = program.tell("mark half time")
            program.tell("keep 5 50")
            self.assertEqual(program.tell(f"dump {self.folder}/own-%p.mspy"), 0)
            report = self.report(str(self.folder / f"own-{program.pid}.mspy"))
            self.assertEqual(self.blocks_of(report, "Keep(unsigned long, unsigned long)"), {"reachable": (15, 1250)})
            self.assertEqual(report["process"]["exit"], {})
            self.assertGreater(mark, 1)
            self.assertNotEqual(program.tell("dump /nowhere/x.mspy"), 0)
            self.assertNotEqual(program.tell(f"dump {self.folder}"), 0)
            self.assertEqual([path.name for path in self.folder.iterdir()], [f"own-{program.pid}.mspy"])

    def dumps_with(self, options, orders, wanted):
        """The numbers of the dumps that the options lead to, once `wanted` has come."""
        pattern = f"{self.folder}/auto-%n.mspy"
        numbers = []
        with Obedient(self.build, MALLOCSPY_OPTIONS=f"report=none:dump_to={pattern}:{options}") as program:
            for order in orders:
                program.tell(order)
                time.sleep(0.05)
            deadline = time.monotonic() + TIMEOUT_SECONDS
            while wanted not in numbers and time.monotonic() < deadline:
                program.tell("keep 1 1")
                time.sleep(0.05)
                numbers = sorted(int(path.stem.split("-")[1]) for path in self.folder.glob("auto-*.mspy"))
        for number in numbers:
            self.assertEqual(self.report(str(self.folder / f"auto-{number}.mspy"))["verdict"]["reachability"], "complete")
        return numbers

    def test_a_dump_at_a_size(self):
        self.assertEqual(self.dumps_with("dump_at_bytes=3M", ["keep 2 1000000", "keep 4 1000000", "keep 2 1000000"], 1), [1])
        self.assertEqual(self.report(str(self.folder / "auto-1.mspy"))["totals"]["live_bytes"] // 1000000 in (3, 4, 5, 6), True)

    def test_dumps_on_growth_keep_the_newest(self):
        grow = [f"keep 1 {1 << 20}"] * 8 + [f"keep 1 {8 << 20}"] + [f"keep 1 {32 << 20}"]
        numbers = self.dumps_with("dump_on_growth=100%:dump_keep=2", grow, 4)
        self.assertEqual(len(numbers), 2, numbers)

    def test_dumps_at_an_interval(self):
        self.assertIn(2, self.dumps_with("dump_every=1s", ["keep 1 1000"], 2))

    def test_a_dump_by_a_signal_of_choice(self):
        self.assertEqual(self.dumps_with(f"dump_signal={signal.SIGUSR2.value}", [f"raise {signal.SIGUSR2.value}"], 1), [1])


if __name__ == "__main__":
    LiveTest.build = Build(sys.argv.pop(1))
    unittest.main()
