"""Running processes: ps, top, mark, dump and check.

    run_live.py BUILD_FOLDER [TEST...]
"""

import contextlib
import fcntl
import json
import os
import pathlib
import pty
import re
import resource
import select
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import time
import unittest

from observed_run import TIMEOUT_SECONDS, Build, Observed, environment, every_report

NO_PROCESS = 27


class Obedient:
    """The program live/obeys.cc, preloaded or under `mallocspy run`."""

    def __init__(self, build, under_run=(), program=None, **variables):
        program = str(program or build.programs / "obeys")
        self._killed = False
        variables.setdefault("MALLOCSPY_OPTIONS", "report=none")
        if under_run:
            arguments, variables = [build.command, "run", *under_run, "--", program], environment()
        else:
            arguments, variables = [program], environment(LD_PRELOAD=build.library, **variables)
        self.process = subprocess.Popen(arguments, env=variables, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                        text=True, start_new_session=True)
        self.tell("keep 0 0")
        self.pid = int(child_of(self.process.pid)) if under_run else self.process.pid

    def tell(self, order):
        self.process.stdin.write(order + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline().split()
        if answer[:1] != ["ok"]:
            raise AssertionError(f"{order}: {answer} {self.process.stderr.read()}")
        return int(answer[1]) if len(answer) > 1 else None

    def end(self):
        """Its status, and what it said in the end."""
        _, error = self.process.communicate(timeout=TIMEOUT_SECONDS)
        return self.process.returncode, error

    def __enter__(self):
        return self

    def __exit__(self, *_):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.communicate()


def child_of(pid):
    return pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()[0]


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
        self.assertRegex(text, r"stood still for [0-9.]+m?s; mark \d+ began with it")
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
            marks = {leak["frames"][0]["function"].split("(")[0].split("::")[-1]: leak["mark"] for leak in report["leaks"] if leak["frames"]}
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
            self.assertIn(b"Lose", seen.stderr)
            self.assertNotIn(b"Keep", seen.stderr)
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
            made = {stack["frames"][0]["function"].split("(")[0]: stack["made"] for stack in heap["stacks"] if stack["made"]["blocks"]}
            self.assertEqual(sorted(made.values(), key=str), [{"blocks": 3, "bytes": 150}, {"blocks": 7, "bytes": 2100}])
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


class Terminal:
    """A command on a pseudo terminal of 80 columns and 24 lines, or others."""

    def __init__(self, arguments, columns=80, lines=24):
        self.shown = b""
        pid, self.descriptor = pty.fork()
        if pid == 0:
            os.environ["TERM"] = "xterm"
            os.environ.pop("LD_PRELOAD", None)
            time.sleep(0.1)  # until the size is set
            os.execv(arguments[0], arguments)
        self.pid = pid
        self.resize(columns, lines)

    def resize(self, columns, lines):
        fcntl.ioctl(self.descriptor, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))

    def press(self, keys):
        os.write(self.descriptor, keys.encode())

    def wait_for(self, text):
        """Until that was shown, since the last one that was waited for. Whatever else came stays in between."""
        deadline = time.monotonic() + TIMEOUT_SECONDS
        start = 0
        while text.encode() not in self.shown[start:]:
            if time.monotonic() > deadline:
                raise AssertionError(f"{text!r} was not shown, but {self.shown[-3000:]!r}")
            if select.select([self.descriptor], [], [], 0.2)[0]:
                try:
                    self.shown += os.read(self.descriptor, 65536)
                except OSError:
                    if text.encode() in self.shown:
                        break
                    raise AssertionError(f"it ended before {text!r} was shown: {self.shown[-3000:]!r}") from None
        self.shown = self.shown[self.shown.index(text.encode()) + len(text):]

    def status(self):
        with contextlib.suppress(OSError):
            while os.read(self.descriptor, 65536):
                pass
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])

    def close(self):
        os.close(self.descriptor)


class ScreenTest(unittest.TestCase):
    build = None

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="run_live."))
        self.addCleanup(shutil.rmtree, self.folder)

    def screen(self, program, *options, **size):
        return Terminal([self.build.command, "top", "--interval=0.2", *options, str(program.pid)], **size)

    def test_screen_shows_stacks_and_obeys_keys(self):
        with Obedient(self.build) as program:
            program.tell("keep 1000 100")
            screen = self.screen(program)
            screen.wait_for("obeys (pid")
            screen.wait_for("100K")
            screen.wait_for("Keep")
            screen.press("s")
            screen.wait_for("blocks")
            screen.press("\n")
            screen.wait_for("#0 ")
            screen.wait_for("main")
            screen.press("/lose\n")
            screen.wait_for("no stack contains that")
            program.tell("lose 50 100")
            screen.wait_for("Lose")
            screen.press("/\n")
            screen.wait_for("Keep")
            screen.press("?")
            screen.wait_for("begin a mark in the process")
            screen.press(" ")
            screen.press("Mby hand\n")
            screen.wait_for("mark 2 begins: by hand")
            screen.press(f"d{self.folder}/d.mspy\n")
            screen.wait_for("stood still for")
            self.assertTrue((self.folder / "d.mspy").exists())
            screen.press("p")
            screen.wait_for("PAUSED")
            screen.press("q")
            self.assertEqual(screen.status(), 0)
            screen.close()

    def test_screen_of_any_size(self):
        with Obedient(self.build) as program:
            program.tell("keep 1000 100")
            screen = self.screen(program, columns=200, lines=60)
            screen.wait_for("Keep")
            for columns, lines in ((80, 24), (20, 5), (5, 2), (1, 1), (300, 100)):
                screen.resize(columns, lines)
                time.sleep(0.3)
                screen.press("\n\x1b[B\x1b[6~")
            screen.resize(80, 24)
            screen.press("?")
            screen.wait_for("begin a mark in the process")
            screen.press("qq")
            self.assertEqual(screen.status(), 0)
            screen.close()

    def test_screen_tells_when_the_process_has_ended(self):
        with Obedient(self.build) as program:
            program.tell("keep 1000 100")
            screen = self.screen(program)
            screen.wait_for("Keep")
            program.end()
            screen.wait_for("the process has ended")
            screen.press("q")
            self.assertEqual(screen.status(), 0)
            screen.close()

    def test_screen_ends_with_its_terminal_or_a_signal(self):
        with Obedient(self.build) as program:
            screen = self.screen(program)
            screen.wait_for("obeys")
            os.kill(screen.pid, signal.SIGTERM)
            self.assertEqual(screen.status(), 0)
            screen.close()
            screen = self.screen(program)
            screen.wait_for("obeys")
            screen.close()
            self.assertEqual(os.waitstatus_to_exitcode(os.waitpid(screen.pid, 0)[1]), 0)

    def test_a_terminal_that_can_show_nothing(self):
        with Obedient(self.build) as program:
            pid, descriptor = pty.fork()
            if pid == 0:
                os.environ["TERM"] = "no-such-terminal"
                os.execv(self.build.command, [self.build.command, "top", str(program.pid)])
            shown = b""
            with contextlib.suppress(OSError):
                while True:
                    piece = os.read(descriptor, 65536)
                    if not piece:
                        break
                    shown += piece
            self.assertEqual(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), 2)
            self.assertIn(b"--once", shown)
            os.close(descriptor)


if __name__ == "__main__":
    LiveTest.build = ScreenTest.build = Build(sys.argv.pop(1))
    unittest.main()
