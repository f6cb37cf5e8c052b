"""Objects with reference counts, and what is told of those that are out of balance.

    run_references.py BUILD [ReferencesTest.test_...]
"""

import json
import pathlib
import subprocess
import sys
import tempfile
import unittest

BUILD = pathlib.Path()


class ReferencesTest(unittest.TestCase):
    def report_of(self, what, status):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "report.json"
            run = subprocess.run([BUILD / "bin" / "mallocspy", "run", "--fail-on=errors", "--format=json", f"--output={path}", "--format=text",
                                  "--output=-", "--", self.program(), what], text=True, capture_output=True, timeout=60, check=False)
            report = json.loads(path.read_text(encoding="utf-8"))
        self.assertTrue(run.stdout.startswith("done"), run)
        self.assertEqual(run.returncode, status, run)
        return report, run.stdout

    def program(self):
        return BUILD / "tests" / "programs" / "bin" / "references"

    def functions(self, frames):
        return [(frame["function"] or "").replace("(anonymous namespace)::", "").split("(")[0].split("::")[-1] for frame in frames]

    def only_error(self, what):
        report, text = self.report_of(what, 24)
        (error,) = report["errors"]
        self.assertEqual(error["kind"], "unbalanced-references")
        return error, text

    def calls(self, error):
        """The function of the test that called, with what it took and gave back."""
        names = {"Make", "Borrow", "Forget", "Hold", "Drop"}
        return [(next((name for name in self.functions(call["where"]) if name in names), None), call["added"], call["released"])
                for call in error["references"]]

    def test_balanced_objects_are_silent(self):
        for what in ("balanced", "reused", "threads", "forked"):
            report, _ = self.report_of(what, 0)
            self.assertEqual(report["errors"], [], what)
            self.assertEqual([child["errors"] for child in report["children"]], [[]] * len(report["children"]), what)

    def test_without_the_library(self):
        for what in ("forgotten", "once too often", "threads but one"):
            run = subprocess.run([self.program(), what], text=True, capture_output=True, timeout=60, check=False)
            self.assertEqual((run.returncode, run.stdout, run.stderr), (0, "done\n", ""))

    def test_what_was_never_released_is_told_with_its_calls(self):
        error, text = self.only_error("forgotten")
        self.assertEqual((error["detail"], error["value"], error["count"], error["door"]), ("Document", 2, 1, "new"))
        self.assertIn("Make", self.functions(error["allocated"]))
        self.assertEqual(error["where"], [])
        calls = self.calls(error)
        self.assertEqual(calls, [("Forget", 2, 0), ("Make", 1, 0), ("Borrow", 3, 0), ("Borrow", 0, 3), ("Drop", 0, 1)])
        self.assertRegex(text, r"unbalanced-references: Document at 0x[0-9a-f]+ still has 2 references")
        self.assertRegex(text, r"2 references taken here:\n +#0 .*\n(.*\n)* +#\d .*Forget")

    def test_objects_of_one_place_are_one_error(self):
        error, text = self.only_error("many")
        self.assertEqual((error["count"], error["value"]), (10, 2))
        self.assertEqual(sorted(self.calls(error)), [("Forget", 10, 0), ("Make", 10, 0)])
        self.assertIn("[10 times]", text)

    def test_a_release_too_many_is_told_at_the_call(self):
        error, text = self.only_error("once too often")
        self.assertEqual(error["detail"], "Static")
        self.assertIn("OnceTooOften", self.functions(error["where"]))
        self.assertIn("was released once more than it was referenced", text)

    def test_an_object_that_is_deleted_all_the_same(self):
        error, text = self.only_error("deleted")
        self.assertEqual(error["value"], 2)
        self.assertIn("Deleted", self.functions(error["freed"]))
        self.assertIn("was freed with 2 references left", text)

    def test_one_of_thousands_in_threads(self):
        error, _ = self.only_error("threads but one")
        self.assertEqual(error["value"], 1)
        taken = sum(call["added"] for call in error["references"])
        given = sum(call["released"] for call in error["references"])
        self.assertEqual((taken, given), (8001, 8000))


if __name__ == "__main__":
    BUILD = pathlib.Path(sys.argv.pop(1)).resolve()
    unittest.main(verbosity=2)
