"""`mallocspy oom` on a program that takes failures in every way, with a run for each failure and with forks.

    run_oom.py BUILD [OomTest.test_...]
"""

import glob
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time
import unittest
import xml.etree.ElementTree

BUILD = pathlib.Path()


class OomTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def program(self):
        return str(BUILD / "tests" / "programs" / "bin" / "oom_outcomes")

    def oom(self, *arguments, **keywords):
        keywords.setdefault("stdin", subprocess.DEVNULL)
        return subprocess.run([BUILD / "bin" / "mallocspy", "oom", *map(str, arguments)], text=True, capture_output=True, timeout=120,
                              check=False, **keywords)

    def report(self, what, *options, status, **keywords):
        run = self.oom("--format=json", *options, "--", self.program(), what, **keywords)
        self.assertEqual(run.returncode, status, run)
        self.assertEqual(run.stderr, "")
        report = json.loads(run.stdout)
        report["outcomes"] = self.own(report["outcomes"])
        return report

    def own(self, trials):
        """Without what libstdc++ allocates as it is loaded."""
        return [trial for trial in trials if any((frame["module"] or "").endswith("oom_outcomes") for frame in trial["frames"])]

    def both_ways(self, what, *options, status, **keywords):
        """The outcomes of the program's own calls: {bytes: outcome}, alike in both ways."""
        reports = [self.report(what, *options, status=status, **keywords), self.report(what, "--fork", *options, status=status, **keywords)]
        outcomes = [{trial["bytes"]: trial for trial in report["outcomes"]} for report in reports]
        self.assertEqual({size: trial["outcome"] for size, trial in outcomes[0].items()},
                         {size: trial["outcome"] for size, trial in outcomes[1].items()})
        return outcomes

    def functions(self, frames):
        return [(frame["function"] or "").replace("(anonymous namespace)::", "").split("(")[0] for frame in frames]

    def test_handled(self):
        for outcomes in self.both_ways("handled", status=0):
            self.assertEqual({size: trial["outcome"] for size, trial in outcomes.items()}, {100: "handled", 200: "handled"})
            self.assertEqual(outcomes[100]["exit_code"], 3)
            self.assertIn("Handled", self.functions(outcomes[100]["frames"]))

    def test_crashed(self):
        for outcomes in self.both_ways("crashes", status=24):
            self.assertEqual({size: trial["outcome"] for size, trial in outcomes.items()}, {100: "handled", 200: "handled", 300: "crashed"})
            crash = outcomes[300]
            self.assertEqual((crash["signal"], crash["exit_code"]), (signal.SIGSEGV, None))
            self.assertEqual(self.functions(crash["struck"])[:3], ["Unchecked", "Crashes", "main"])
            self.assertEqual(self.functions(crash["frames"])[:3], ["Unchecked", "Crashes", "main"])

    def test_a_program_that_ignores_its_children(self):
        for outcomes in self.both_ways("ignores children", status=24):
            self.assertEqual((outcomes[700]["outcome"], outcomes[700]["signal"]), ("crashed", signal.SIGSEGV))

    def test_an_exception_that_nobody_catches(self):
        for outcomes in self.both_ways("throws", status=24):
            self.assertEqual({trial["outcome"] for trial in outcomes.values()}, {"crashed"})
            self.assertEqual({trial["signal"] for trial in outcomes.values()}, {signal.SIGABRT})
            self.assertEqual({trial["door"] for trial in outcomes.values()}, {"new"})
            for trial in outcomes.values():
                self.assertIn("Throws", self.functions(trial["struck"]))

    def test_hung(self):
        for outcomes in self.both_ways("hangs", "--timeout=1", status=24):
            self.assertEqual(outcomes[400]["outcome"], "hung")
            self.assertIn("Hangs", self.functions(outcomes[400]["struck"]))

    def test_leaked(self):
        for outcomes in self.both_ways("leaks", status=23):
            self.assertEqual({size: trial["outcome"] for size, trial in outcomes.items()}, {100: "handled", 200: "leaked"})
            self.assertIn("Leaks", self.functions(outcomes[200]["leaks"][0]["frames"]))
            self.assertEqual((outcomes[200]["lost_blocks"], outcomes[200]["lost_bytes"]), (1, 100))

    def test_misused(self):
        for outcomes in self.both_ways("misuses", status=24):
            self.assertEqual({size: trial["outcome"] for size, trial in outcomes.items()}, {100: "handled", 200: "misused"})
            (error,) = outcomes[200]["errors"]
            self.assertTrue(error["what"].startswith("double-free"), error)
            self.assertIn("Misuses", self.functions(error["frames"]))

    def test_in_a_thread(self):
        for outcomes in self.both_ways("in thread", "--within=Handled", status=0):
            self.assertEqual({size: trial["outcome"] for size, trial in outcomes.items()}, {100: "handled", 200: "handled"})

    def test_others_that_it_starts_do_not_fail(self):
        for outcomes in self.both_ways("in child", status=0):
            self.assertEqual(outcomes, {})

    def test_nothing_allocates(self):
        report = self.report("nothing", status=0)
        self.assertEqual(report["outcomes"], [])

    def test_within(self):
        report = self.report("crashes", "--within=Unchecked", status=24)
        self.assertEqual([trial["bytes"] for trial in report["outcomes"]], [300])
        self.assertEqual((report["summary"]["stacks"], report["summary"]["chosen"], report["summary"]["tried"]), (4, 1, 1))
        self.assertEqual(len(self.report("crashes", "--within=oom_outcomes", status=24)["outcomes"]), 3)
        run = self.oom("--within=NoSuchFunction", "--", self.program(), "crashes")
        self.assertEqual(run.returncode, 25)
        self.assertIn("--within", run.stderr)

    def test_limit(self):
        report = self.report("crashes", "--limit=2", status=24)  # libstdc++'s and the first
        self.assertEqual(report["summary"]["tried"], 2)
        self.assertIn("2 call stacks not tried", report["notes"][0])

    def test_input_is_read_anew(self):
        path = self.folder / "input"
        path.write_text("skipped\n20\n22\n", encoding="utf-8")
        with open(path, encoding="utf-8") as file:
            os.lseek(file.fileno(), 8, os.SEEK_SET)
            for way in ([], ["--fork"]):
                report = self.report("reads", *way, status=0, stdin=file)
                self.assertEqual([report["baseline"]["exit_code"], report["outcomes"][0]["exit_code"]], [42, 42])
        run = self.oom("--format=json", "--", self.program(), "reads", stdin=None, input="40\n3\n")
        self.assertEqual(self.own(json.loads(run.stdout)["outcomes"])[0]["exit_code"], 43)

    def test_runs_are_numbered(self):
        report = self.report("says run", status=0)
        self.assertEqual((report["baseline"]["exit_code"], report["outcomes"][0]["exit_code"]), (40, 42))

    def test_the_printed_command_does_it_again(self):
        report = self.report("crashes", status=24)
        (crash,) = [trial for trial in report["outcomes"] if trial["outcome"] == "crashed"]
        environment = {**os.environ, "PATH": f"{BUILD / 'bin'}:{os.environ['PATH']}"}
        run = subprocess.run(["bash", "-c", "exec " + crash["repeat"]], text=True, capture_output=True, timeout=60, check=False, env=environment)
        self.assertEqual(run.returncode, -signal.SIGSEGV, run)
        self.assertRegex(run.stderr, r"killed by signal 11 .* here:\n +#0 .*Unchecked")
        self.assertIn("1 allocation was made to fail, here:", run.stderr)

    def test_repeat(self):
        report = self.folder / "oom.json"
        state = self.folder / "state"
        self.assertEqual(self.oom(f"--output={report}", f"--state={state}", "--", self.program(), "crashes").returncode, 24)
        for file in (report, state):
            self.assertEqual(self.oom(f"--repeat={file}").returncode, -signal.SIGSEGV)
        handled = [trial for trial in self.own(json.loads(report.read_text(encoding="utf-8"))["outcomes"]) if trial["outcome"] == "handled"]
        run = self.oom(f"--repeat={report}", f"--stack={handled[0]['stack']}")
        self.assertEqual(run.returncode, 3, run)
        self.assertEqual(self.oom(f"--repeat={report}", "--stack=0123456789abcdef").returncode, 2)

    def test_state_is_gone_on_from(self):
        state = self.folder / "state"
        arguments = [f"--state={state}", "--", self.program(), "crashes"]
        self.assertEqual(self.oom("--limit=1", *arguments).returncode, 0)
        self.assertEqual(len(state.read_text(encoding="utf-8").splitlines()), 2)
        with open(state, "a", encoding="utf-8") as file:
            file.write('{"outcome":"crash')  # cut off as it was written
        run = self.oom("--format=json", *arguments)
        self.assertEqual(sorted(trial["outcome"] for trial in json.loads(run.stdout)["outcomes"]), ["crashed", "handled", "handled", "handled"])
        self.assertEqual(len(state.read_text(encoding="utf-8").splitlines()), 5)
        other = self.oom(f"--state={state}", "--", self.program(), "leaks")
        self.assertEqual(other.returncode, 2)
        self.assertIn("another program or other arguments", other.stderr)

    def test_interrupted(self):
        """What was found out stays, and nothing else does."""
        state = self.folder / "state"
        environment = {**os.environ, "XDG_RUNTIME_DIR": str(self.folder)}
        command = subprocess.Popen([BUILD / "bin" / "mallocspy", "oom", f"--state={state}", "--jobs=1", "--timeout=100", "--", self.program(), "hangs"],
                                   env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        while not glob.glob(f"{self.folder}/mallocspy-run-*/*.mspy"):
            time.sleep(0.01)
        time.sleep(0.5)
        command.send_signal(signal.SIGINT)
        self.assertEqual(command.wait(20), -signal.SIGINT)
        command.communicate()
        self.assertEqual(glob.glob(f"{self.folder}/mallocspy-run-*"), [])
        for _ in range(100):
            if subprocess.run(["pgrep", "-f", f"{self.program()} hangs"], stdout=subprocess.DEVNULL, check=False).returncode != 0:
                break
            time.sleep(0.1)
        else:
            self.fail("the program outlived the command")

    def test_reports(self):
        junit = self.folder / "oom.xml"
        run = self.oom(f"--output={junit}", "--format=text", "--output=-", "--", self.program(), "crashes")
        self.assertEqual(run.returncode, 24, run)
        first, *_ = run.stdout.splitlines()
        self.assertEqual(first, "mallocspy oom: 4 of 4 allocating call stacks of oom_outcomes failed once each: 3 handled, 1 crashed, 0 hung, "
                                "0 leaked, 0 misused")
        self.assertIn("crashed (SIGSEGV) when malloc of 300 bytes failed\n", run.stdout)
        self.assertIn("<testsuites>", junit.read_text(encoding="utf-8"))

    def test_junit(self):
        junit = self.folder / "oom.xml"
        self.assertEqual(self.oom("--format=junit", f"--output={junit}", "--", self.program(), "crashes").returncode, 24)
        suite = xml.etree.ElementTree.parse(junit).getroot().find("testsuite")
        self.assertEqual((suite.get("tests"), suite.get("failures")), ("4", "1"))
        (failure,) = suite.iter("failure")
        self.assertEqual(failure.get("type"), "crashed")
        self.assertIn("Unchecked", failure.text)

    def test_bad_input(self):
        def refused(*arguments, status, says):
            run = self.oom(*arguments)
            self.assertEqual((run.returncode, run.stdout), (status, ""), run)
            self.assertIn(says, run.stderr)
            self.assertLessEqual(len(run.stderr.splitlines()), 2, run.stderr)

        refused(status=2, says="oom needs a program")
        refused("--", "/no/such/program", status=127, says="/no/such/program")
        refused("--", str(BUILD / "tests" / "programs" / "bin" / "static_program"), status=25, says="statically linked")
        refused("--colour", "--", "true", status=2, says="--colour")
        refused("--limit=0", "--", "true", status=2, says="--limit")
        refused("--stack=0123456789abcdef", "--", "true", status=2, says="--repeat")
        refused("--stack=xyz", "--", "true", status=2, says="16 hexadecimal digits")
        refused("--format=sarif", "--", "true", status=2, says="--format")
        refused("--output=x.sarif", "--", "true", status=2, says="sarif")
        refused("--repeat=/no/such/file", status=2, says="/no/such/file")
        foreign = self.folder / "foreign"
        foreign.write_text("precious\n", encoding="utf-8")
        refused(f"--state={foreign}", "--", "true", status=2, says="no state file")
        refused(f"--repeat={foreign}", status=2, says="neither")
        self.assertEqual(foreign.read_text(encoding="utf-8"), "precious\n")

    def test_a_full_disk_is_said(self):
        run = self.oom("--output=/dev/full", "--", self.program(), "handled")
        self.assertEqual(run.returncode, 25)
        self.assertIn("could not be written", run.stderr)

    def test_a_program_that_dies_anyway(self):
        run = self.oom("--format=json", "--", self.program(), "dies")
        self.assertIn("killed by SIGKILL", json.loads(run.stdout)["notes"][0])


if __name__ == "__main__":
    BUILD = pathlib.Path(sys.argv.pop(1)).resolve()
    unittest.main(verbosity=2)
