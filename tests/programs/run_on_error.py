#!/usr/bin/env python3
"""run_on_error.py BUILD [CASE...]: what --on-error does to a program that errs."""

import re
import shutil
import signal
import subprocess
import sys
import unittest

from observed_run import Build, Observed, checked_run, environment

LIMIT_SECONDS = 120


class OnErrorTest(unittest.TestCase):
    build = None

    def program(self):
        return [self.build.programs / "double_free"]

    def test_continue_goes_on(self):
        seen, report = checked_run(self.build, ["--on-error=continue"], self.program())
        self.assertEqual((report["process"]["exit"], seen.status), ({"code": 0}, 24))
        self.assertEqual(seen.stderr, b"")

    def test_abort_says_why_and_keeps_the_report(self):
        seen, report = checked_run(self.build, ["--on-error=abort"], self.program())
        self.assertEqual(report["process"]["exit"], {"signal": signal.SIGABRT.value})
        self.assertEqual([error["kind"] for error in report["errors"]], ["double-free"])
        self.assertRegex(seen.stderr.decode(), r"^mallocspy: double-free at 0x[0-9a-f]+ in thread \d+ of pid \d+; .*on_error=abort")

    def test_without_run_too(self):
        seen = Observed(self.program(), environment(LD_PRELOAD=str(self.build.library), MALLOCSPY_OPTIONS="on_error=abort"))
        self.assertEqual(seen.status, -signal.SIGABRT.value)
        self.assertIn(b"double-free", seen.stderr)

    def test_stop_waits_for_a_debugger_and_goes_on_after_it(self):
        debugger = shutil.which("gdb")
        self.assertIsNotNone(debugger, "gdb is missing; tools/dev setup installs it")
        command = [str(self.build.command), "run", "--on-error=stop", "--", *map(str, self.program())]
        with subprocess.Popen(command, env=environment(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True) as run:
            line = run.stderr.readline()
            match = re.search(r"gdb -p (\d+)$", line.rstrip())
            self.assertIsNotNone(match, line)
            attached = subprocess.run([debugger, "-nx", "-batch", "-ex", "set debuginfod enabled off", "-p", match[1], "-ex", "continue",
                                       "-ex", "backtrace", "-ex", "detach"],
                                      capture_output=True, text=True, timeout=LIMIT_SECONDS, stdin=subprocess.DEVNULL)
            self.assertIn("SIGTRAP", attached.stdout)
            self.assertRegex(attached.stdout, r"main \(.*double_free\.c", attached.stderr)
            _, rest = run.communicate(timeout=LIMIT_SECONDS)
            self.assertEqual(run.returncode, 24, rest)


if __name__ == "__main__":
    OnErrorTest.build = Build(sys.argv.pop(1))
    unittest.main()
