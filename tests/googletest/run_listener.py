"""Runs GoogleTest programs that have the leak listener, and looks at what fails in them.

    run_listener.py BUILD [ListenerTest.test_...]
"""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

BUILD = pathlib.Path()


class ListenerTest(unittest.TestCase):
    def run_tests(self, program, *arguments, under=(), environment=None):
        """What GoogleTest's JSON report says: name -> failures; and the finished process."""
        with tempfile.TemporaryDirectory() as folder:
            report = pathlib.Path(folder) / "report.json"
            run = subprocess.run([*under, BUILD / "bin" / program, f"--gtest_output=json:{report}", *arguments], text=True,
                                 capture_output=True, timeout=300, check=False,
                                 env={**os.environ, "MALLOCSPY_OPTIONS": "report=none", **(environment or {})})
            outcome = {}
            if report.exists():
                for suite in json.loads(report.read_text(encoding="utf-8"))["testsuites"]:
                    for test in suite["testsuite"]:
                        outcome[f"{suite['name']}.{test['name']}"] = [failure["failure"] for failure in test.get("failures", [])]
        return outcome, run

    def failed(self, outcome):
        return {name for name, failures in outcome.items() if failures}

    def test_fails_exactly_the_test_that_leaks(self):
        outcome, run = self.run_tests("five_tests")
        self.assertEqual(len(outcome), 5, run.stdout)
        self.assertEqual(self.failed(outcome), {"Records.AreLost"})
        self.assertEqual(run.returncode, 1)
        (failure,) = outcome["Records.AreLost"]
        self.assertIn("leaked 3 blocks (150000 bytes) in 1 place", failure)
        self.assertRegex(failure, r"#0 .*LoseRecords\(int\) .*five_tests\.cc:18")
        self.assertRegex(failure, r"#1 .*Records_AreLost_Test::TestBody\(\) .*five_tests\.cc:26")

    def test_repeated_and_shuffled(self):
        _, run = self.run_tests("five_tests", "--gtest_repeat=3", "--gtest_shuffle", "--gtest_brief=1")
        self.assertEqual(run.stdout.count("leaked 3 blocks (150000 bytes) in 1 place"), 3, run.stdout)
        self.assertEqual(run.stdout.count("4 tests."), 3, run.stdout)

    def test_limits_statements_and_googletests_own(self):
        outcome, run = self.run_tests("limited_tests")
        self.assertEqual(self.failed(outcome), {name for name in outcome if name.endswith("Fails")}, run.stdout)
        self.assertGreater(len(outcome), 20)
        for failures in outcome.values():
            for failure in failures:
                self.assertIn("leaked ", failure)

    def test_failing_allocations(self):
        outcome, run = self.run_tests("failing_tests")
        self.assertEqual(self.failed(outcome), {name for name in outcome if name.endswith("Fails")}, run.stdout)
        self.assertEqual(len(outcome), 10)
        leak = outcome["Failing.ALeakInOneRunFails"][0]  # the listener finds the leak, too
        self.assertRegex(leak, r"allocation 2 failed, of 7 bytes, at\n    #0 .*Copy.*failing_tests\.cc:19\n    #1 .*Forgetful")
        self.assertIn("leaked 1 block (6 bytes)", leak)
        (damage,) = outcome["Failing.ADamagedHeapFails"]
        self.assertIn("the heap is damaged", damage)
        (thrown,) = outcome["Failing.AnotherExceptionFails"]
        self.assertIn("an exception came out of the statement: no block", thrown)
        self.assertIn("still allocates in run 2", outcome["Failing.TooManyRunsFails"][0])

    def test_under_run(self):
        command = BUILD / "bin" / "mallocspy"
        outcome, run = self.run_tests("five_tests", under=[command, "run", "--"])
        self.assertEqual(self.failed(outcome), {"Records.AreLost"})
        self.assertEqual(run.returncode, 1)
        self.assertIn("leaks: ", run.stderr)

    def test_a_check_that_cannot_run_is_a_failure(self):
        outcome, run = self.run_tests("five_tests", environment={"MALLOCSPY_TOOL": "/nonexistent"})
        self.assertEqual(self.failed(outcome), {"Records.AreLost"}, run.stdout)  # only this one needs the command
        self.assertIn("the leak check did not run", outcome["Records.AreLost"][0])


if __name__ == "__main__":
    BUILD = pathlib.Path(sys.argv.pop(1)).resolve()
    unittest.main(verbosity=2)
