"""The library without `mallocspy run`: preloaded or linked by hand, it reports at the end by itself.

    run_alone.py BUILD_FOLDER [TEST...]
"""

import os
import pathlib
import re
import shutil
import stat
import subprocess
import sys
import tempfile
import unittest

from expectations import Expectations
from observed_run import Build, Observed, environment, signal_number

HERE = pathlib.Path(__file__).resolve().parent

# Ends that the process sees itself; the others leave nothing behind when nobody else holds the record.
SEEN_ENDS = ("return_from_main", "exit_in_function", "exit_in_thread", "underscore_exit", "capital_exit", "quick_exit", "abort",
             "abort_handled", "segmentation_fault", "segmentation_fault_handled", "floating_point_exception", "sigterm_handled",
             "pthread_exit_in_main")


class AloneTest(unittest.TestCase):
    build = None

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="run_alone."))
        self.addCleanup(shutil.rmtree, self.folder)

    def preloaded(self, name, library=None, **variables):
        return Observed([self.build.programs / name],
                        environment(LD_PRELOAD=str(library or self.build.library), **variables))

    def report_of(self, snapshot):
        return Observed([self.build.command, "report", "--fail-on=none", "--output=-", snapshot]).stdout.decode()

    def assert_report(self, text, name, folder):
        """The text tells of every leak that the program's source marks."""
        source = next(HERE.glob(f"{folder}/{name}.c*"))
        expected = Expectations(source)
        self.assertTrue(expected.leaks)
        for (site, _), (blocks, size) in expected.leaks.items():
            # A crash leaves some of them in registers and on the stack, so they may stand in several entries.
            found = re.findall(rf" of (\d+) byte\(s\) in (\d+) object\(s\) allocated from:\n +#0 .*/{site.file}:{site.line}\b", text)
            self.assertEqual((sum(int(entry[0]) for entry in found), sum(int(entry[1]) for entry in found)), (size, blocks), text)
            self.assertRegex(text, rf"#0 0x[0-9a-f]+ in \w+ .*/{site.file}:{site.line}\b")

    def test_preloaded_program_reports_on_standard_error(self):
        plain = Observed([self.build.programs / "malloc_leak"])
        seen = self.preloaded("malloc_leak")
        self.assertEqual((seen.stdout, seen.status), (plain.stdout, plain.status))
        self.assert_report(seen.stderr.decode(), "malloc_leak", "leaks")

    def test_every_end_that_the_process_sees(self):
        for name in SEEN_ENDS:
            with self.subTest(name=name):
                plain = Observed([self.build.programs / name])
                seen = self.preloaded(name)
                self.assertEqual((seen.stdout, seen.status), (plain.stdout, plain.status))
                self.assert_report(seen.stderr.decode(), name, "ends")
                self.assertTrue(seen.stderr.startswith(plain.stderr))

    def test_silent_ends_stay_as_they_were(self):
        for name in ("killed_by_sigkill", "exit_group_system_call", "closed_descriptors", "killed_by_sigint"):
            with self.subTest(name=name):
                plain = Observed([self.build.programs / name])
                seen = self.preloaded(name)
                self.assertEqual((seen.stdout, seen.status), (plain.stdout, plain.status))

    def test_report_none_is_silent(self):
        self.assertEqual(self.preloaded("malloc_leak", MALLOCSPY_OPTIONS="report=none").stderr, b"")

    def test_error_without_run(self):
        seen = self.preloaded("heap_overflow_by_one")
        self.assertEqual(seen.status, 0)
        self.assertIn("heap-overflow", seen.stderr.decode())

    def test_forked_child_reports_for_itself(self):
        text = self.preloaded("child_leak").stderr.decode()
        self.assertIn("62 byte(s) in 2 object(s)", text)
        self.assertIn("clean", text)

    def test_without_the_command_the_lines_have_module_and_offset(self):
        library = shutil.copy(self.build.library, self.folder)
        seen = self.preloaded("malloc_leak", library)
        text = seen.stderr.decode()
        self.assertEqual(seen.status, 0)
        self.assertIn("MALLOCSPY_TOOL", text)
        self.assertIn("leak of 81 byte(s) in 3 object(s) allocated from:\n", text)
        self.assertRegex(text, r"#0 0x[0-9a-f]+ \(.*/malloc_leak\+0x[0-9a-f]+\)")

    def test_mallocspy_tool_names_the_command(self):
        library = shutil.copy(self.build.library, self.folder)
        seen = self.preloaded("malloc_leak", library, MALLOCSPY_TOOL=self.build.command)
        self.assert_report(seen.stderr.decode(), "malloc_leak", "leaks")

    def test_closed_pipe_does_not_kill(self):
        for tool in (self.build.command, "/nonexistent"):
            with self.subTest(tool=tool):
                reading, writing = os.pipe()
                os.close(reading)
                run = subprocess.run([str(self.build.programs / "malloc_leak")], stderr=writing, check=False, timeout=60,
                                     env=environment(LD_PRELOAD=self.build.library, MALLOCSPY_TOOL=tool),
                                     restore_signals=True)
                os.close(writing)
                self.assertEqual(run.returncode, 0)

    def test_kept_snapshot(self):
        seen = self.preloaded("malloc_leak", MALLOCSPY_OPTIONS=f"report=none:keep={self.folder}/kept.%p.mspy")
        self.assertEqual((seen.status, seen.stdout), (0, b""))
        snapshots = list(self.folder.glob("kept.*.mspy"))
        self.assertEqual(len(snapshots), 1, seen)
        self.assertRegex(snapshots[0].name, r"^kept\.\d+\.mspy$")
        self.assertEqual(stat.S_IMODE(snapshots[0].stat().st_mode), 0o600)
        self.assert_report(self.report_of(snapshots[0]), "malloc_leak", "leaks")

    def test_kept_snapshot_does_not_follow_a_link(self):
        victim = self.folder / "victim"
        victim.write_text("precious", encoding="utf-8")
        (self.folder / "link.mspy").symlink_to(victim)
        self.preloaded("malloc_leak", MALLOCSPY_OPTIONS=f"report=none:keep={self.folder}/link.mspy")
        self.assertEqual(victim.read_text(encoding="utf-8"), "precious")

    def test_keep_does_not_replace_a_fifo(self):
        fifo = self.folder / "fifo.mspy"
        os.mkfifo(fifo)
        seen = self.preloaded("malloc_leak", MALLOCSPY_OPTIONS=f"report=none:keep={fifo}")
        self.assertEqual(seen.status, 0)
        self.assertTrue(stat.S_ISFIFO(fifo.stat().st_mode), "it was replaced")
        self.assertEqual(seen.stderr.count(b"\n"), 1, seen)

    def test_unwritable_snapshot_is_one_line(self):
        plain = Observed([self.build.programs / "exit_in_function"])
        for path in ("/nonexistent/x.mspy", "/proc/x.mspy", str(self.folder)):
            with self.subTest(path=path):
                seen = self.preloaded("exit_in_function", MALLOCSPY_OPTIONS=f"report=none:keep={path}")
                self.assertEqual((seen.status, seen.stdout), (plain.status, plain.stdout))
                self.assertEqual(seen.stderr.count(b"\n"), 1, seen)
                self.assertIn(path, seen.stderr.decode())

    def test_unknown_option_is_named_and_ignored(self):
        seen = self.preloaded("malloc_leak", MALLOCSPY_OPTIONS="stack_dept=4")
        self.assertEqual(seen.status, 0)
        self.assertIn('"stack_dept=4" is not an option', seen.stderr.decode())
        self.assert_report(seen.stderr.decode(), "malloc_leak", "leaks")

    def test_linked_program(self):
        seen = Observed([self.build.programs / "secure_mode_linked"])
        self.assertEqual((seen.status, seen.stdout), (0, b"secure 0\n"))
        self.assert_report(seen.stderr.decode(), "secure_mode", "heap")

    def secure_copy(self, program):
        """A copy whose execution is in secure mode, or None if this user cannot make one."""
        copy = self.folder / "secure_copy"
        self.folder.chmod(0o755)
        shutil.copyfile(program, copy)
        try:
            if os.geteuid() == 0:
                os.chown(copy, 65534, -1)
                copy.chmod(0o4755)
            else:
                other = next(group for group in os.getgroups() if group != os.getegid())
                os.chown(copy, -1, other)
                copy.chmod(0o2755)
        except (StopIteration, PermissionError):
            return None
        seen = Observed([copy], environment(MALLOCSPY_OPTIONS="report=none"))
        return copy if seen.stdout == b"secure 1\n" else None

    def test_options_are_ignored_in_secure_mode(self):
        copy = self.secure_copy(self.build.programs / "secure_mode_linked")
        if copy is None:
            self.skipTest("this user cannot make a program that runs in secure mode here")
        self.folder.chmod(0o777)  # the program could write there, if it would
        seen = Observed([copy], environment(MALLOCSPY_OPTIONS=f"report=none:keep={self.folder}/kept.mspy",
                                            MALLOCSPY_TOOL="/bin/echo", MALLOCSPY_RUN=str(self.folder)))
        self.assertEqual((seen.status, seen.stdout), (0, b"secure 1\n"))
        self.assertEqual(seen.stderr, b"", "neither the options' report nor the tool of the environment")
        self.assertEqual([path.name for path in self.folder.iterdir()], ["secure_copy"])

    def test_preload_is_ignored_in_secure_mode(self):
        copy = self.secure_copy(self.build.programs / "secure_mode")
        if copy is None:
            self.skipTest("this user cannot make a program that runs in secure mode here")
        seen = Observed([self.build.command, "run", "--", copy])
        self.assertEqual(seen.status, 25, seen)
        self.assertIn("setuid" if os.geteuid() == 0 else "set", seen.stderr.decode())


if __name__ == "__main__":
    AloneTest.build = Build(sys.argv.pop(1))
    unittest.main()
