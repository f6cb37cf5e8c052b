"""`mallocspy run --self-test`, also where something is forbidden.

    run_self_test.py BUILD_FOLDER [TEST...]
"""

import shutil
import subprocess
import sys
import unittest

from observed_run import Build, Observed, environment


class SelfTestTest(unittest.TestCase):
    build = None

    def self_test(self, *before, **variables):
        return Observed([*before, self.build.command, "run", "--self-test"], environment(**variables))

    def filtered(self, what):
        return self.self_test(self.build.programs / "starts_filtered", what)

    def assert_fails(self, seen, what, *words):
        """25, with one line that says what failed and one, indented, that says what to do."""
        lines = seen.stdout.decode().splitlines()
        self.assertEqual((seen.status, seen.stderr), (25, b""), seen)
        failed = [number for number, line in enumerate(lines) if line.startswith(f"  FAIL  {what} ")]
        self.assertEqual(len(failed), 1, seen)
        text = lines[failed[0]] + lines[failed[0] + 1]
        for word in words:
            self.assertIn(word, text)
        self.assertRegex(lines[-1], r"^mallocspy: self-test failed: \w+")
        return lines

    def test_passes_here(self):
        seen = self.self_test()
        lines = seen.stdout.decode().splitlines()
        self.assertEqual((seen.status, seen.stderr), (0, b""), seen)
        self.assertEqual([line.split()[1] for line in lines if line.startswith("  ok ")],
                         ["library", "start", "preload", "stack", "stop", "copy", "leak", "held", "children", "verdict"])
        self.assertIn("the file and the line", seen.stdout.decode())
        self.assertEqual(lines[-1], "mallocspy: self-test passed: a leak is found on this machine")

    def test_without_debug_information(self):
        command = shutil.copy(self.build.command, self.build.programs / "stripped_mallocspy")
        subprocess.run(["strip", command], check=True)
        seen = Observed([command, "run", "--self-test"], environment(MALLOCSPY_LIBRARY=self.build.library))
        self.assertEqual(seen.status, 0, seen)
        self.assertIn("  note  lines ", seen.stdout.decode())

    def test_copy_forbidden(self):
        lines = self.assert_fails(self.filtered("copy"), "copy", "Operation not permitted", "clone", "seccomp")
        self.assertIn("  ok    preload", "\n".join(lines))

    def test_signals_forbidden(self):
        self.assert_fails(self.filtered("signal"), "stop", "Operation not permitted", "tgkill", "seccomp")

    def test_fork_forbidden(self):
        self.assert_fails(self.filtered("fork"), "start", "Operation not permitted", "ulimit -u")

    def test_the_launcher_itself_forbids_nothing(self):
        self.assertEqual(self.filtered("nothing").status, 0)

    def test_options_that_keep_the_leak_out(self):
        self.assert_fails(self.self_test(MALLOCSPY_OPTIONS="record=task"), "preload", "MALLOCSPY_OPTIONS=record=task")
        self.assert_fails(self.self_test(MALLOCSPY_OPTIONS="follow=none"), "children", "MALLOCSPY_OPTIONS=follow=none")

    def test_little_memory(self):
        seen = self.self_test("sh", "-c", "ulimit -v 120000; exec \"$@\"", "sh")
        self.assertIn(seen.status, (0, 25), seen)
        self.assertRegex(seen.stdout.decode(), r"\nmallocspy: self-test (passed|failed): ")

    def test_without_proc(self):
        hidden = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", "mount -t tmpfs none /proc && exec \"$@\"", "sh"]
        if subprocess.run([*hidden, "true"], capture_output=True, check=False).returncode != 0:
            self.skipTest("this user may not mount in a namespace of his own")
        seen = self.self_test(*hidden, MALLOCSPY_LIBRARY=self.build.library)
        self.assert_fails(seen, "memory map", "/proc/self/maps", "mount /proc")

    def test_unprivileged_user(self):
        hidden = ["unshare", "--user", "--net", "--pid", "--fork"]
        if subprocess.run([*hidden, "true"], capture_output=True, check=False).returncode != 0:
            self.skipTest("this user may not make a namespace")
        self.assertEqual(self.self_test(*hidden).status, 0)


if __name__ == "__main__":
    SelfTestTest.build = Build(sys.argv.pop(1))
    unittest.main()
