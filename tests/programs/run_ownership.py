"""Who freed what, as `--ownership` tells it.

    run_ownership.py BUILD [OwnershipTest.test_...]
"""

import json
import subprocess
import sys
import tempfile
import pathlib
import unittest

BUILD = pathlib.Path()
PROGRAM = "handover"


class OwnershipTest(unittest.TestCase):
    def run_program(self, *options):
        return subprocess.run([BUILD / "bin" / "mallocspy", "run", *options, "--", BUILD / "tests" / "programs" / "bin" / PROGRAM], text=True,
                              capture_output=True, timeout=60, check=False)

    def rows(self, *options):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "report.json"
            run = self.run_program("--fail-on=none", f"--output={path}", "--format=json", *options)
            self.assertEqual(run.returncode, 0, run.stderr)
            report = json.loads(path.read_text(encoding="utf-8"))
        name = lambda path: path and pathlib.PurePath(path).name
        return {(name(row["made_in"]), row["made_by"], name(row["freed_in"]), row["freed_by"]):
                (row["blocks"], row["bytes"], row["mismatched"]) for row in report["ownership"]}

    def test_what_passes_between_modules_is_counted(self):
        rows = self.rows("--ownership")
        self.assertEqual(rows[("libhandover_library.so", "malloc", PROGRAM, "malloc")], (3, 63, False))
        self.assertEqual(rows[(PROGRAM, "malloc", PROGRAM, "malloc")], (2, 30, False))
        self.assertEqual(rows[(PROGRAM, "new", PROGRAM, "malloc")], (1, 4, True))

    def test_nothing_is_counted_unless_asked_for(self):
        self.assertEqual(self.rows(), {})

    def test_the_table_leads_with_other_doors(self):
        text = self.run_program("--ownership", "--fail-on=none").stderr
        table = text[text.index("who freed what"):].splitlines()
        self.assertRegex(table[2], rf"{PROGRAM} by new +{PROGRAM} by malloc +1 +4  another door")
        self.assertIn("libhandover_library.so by malloc", table[3])

    def test_a_report_without_the_record_says_how_to_get_it(self):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "x.mspy"
            self.run_program("--fail-on=none", f"--keep={path}")
            run = subprocess.run([BUILD / "bin" / "mallocspy", "report", "--ownership", path], text=True, capture_output=True, timeout=60,
                                 check=False)
        self.assertIn("'mallocspy run --ownership' records it", run.stdout + run.stderr)


if __name__ == "__main__":
    BUILD = pathlib.Path(sys.argv.pop(1)).resolve()
    unittest.main(verbosity=2)
