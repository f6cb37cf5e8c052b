"""What `mallocspy run` must hand through to the program: arguments, input, environment, directory, signals.

    run_passes_through.py BUILD_FOLDER [TEST...]
"""

import json
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import unittest

from observed_run import TIMEOUT_SECONDS, Build, Observed, environment


class PassesThroughTest(unittest.TestCase):
    build = None

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="passes_through."))
        self.addCleanup(shutil.rmtree, self.folder)
        self.report = self.folder / "report.json"

    def run_command(self):
        return [self.build.command, "run", "--fail-on=none", "--format=json", f"--output={self.report}", "--"]

    def observed(self, program, **options):
        return Observed([*self.run_command(), *program], **options)

    def test_arguments_of_any_bytes(self):
        odd = ["", " ", "two words", "new\nline", "--format=text", "--", "$HOME", "'\"", "\udcff\udcfe"]
        command = ["printf", "<%s>", *odd]
        plain = subprocess.run(command, capture_output=True, check=True)
        seen = subprocess.run([*self.run_command(), *command], capture_output=True, check=False, env=environment())
        self.assertEqual((seen.stdout, seen.returncode), (plain.stdout, 0))
        self.assertEqual(json.loads(self.report.read_text(encoding="utf-8"))["process"]["cmdline"][:3], ["printf", "<%s>", ""])

    def test_input(self):
        data = bytes(range(256)) * 5000
        seen = subprocess.run([*self.run_command(), "cat"], input=data, capture_output=True, check=False, env=environment())
        self.assertEqual((seen.stdout, seen.stderr, seen.returncode), (data, b"", 0))

    def test_environment_and_directory(self):
        env = environment(ODD="a=b\nc", PATH="/usr/bin:/bin")
        seen = self.observed(["sh", "-c", 'printf "%s|%s" "$ODD" "$PWD"'], env=env, cwd=self.folder)
        self.assertEqual(seen.stdout.decode(), f"a=b\nc|{self.folder.resolve()}")

    def test_other_preloaded_libraries_stay(self):
        other = str(self.build.programs / "libdeepbind_library.so")
        seen = self.observed(["sh", "-c", "grep -c libdeepbind_library /proc/self/maps; echo \"$LD_PRELOAD\""],
                             env=environment(LD_PRELOAD=other))
        count, preload = seen.stdout.decode().splitlines()
        self.assertGreater(int(count), 0)
        self.assertEqual(preload.split(":")[-1], other)

    def test_many_arguments_and_a_large_environment(self):
        seen = self.observed(["sh", "-c", 'echo "$#" "${#LARGE}"', "sh", *(["argument"] * 5000)],
                             env=environment(LARGE="x" * 100000))
        self.assertEqual(seen.stdout, b"5000 100000\n")

    def signalled(self, signal_number):
        program = str(self.build.programs / "waits_for_signal")
        with subprocess.Popen([*self.run_command(), program], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              env=environment()) as run:
            self.assertEqual(run.stdout.readline(), b"ready\n")
            run.send_signal(signal_number)
            run.communicate(timeout=TIMEOUT_SECONDS)
        report = json.loads(self.report.read_text(encoding="utf-8"))
        leaks = [leak["bytes"] for leak in report["leaks"] if leak["frames"][0]["function"] == "main"]
        self.assertEqual(leaks, [43])
        return run.returncode, report["process"]["exit"]

    def test_handled_signals_reach_the_program(self):
        for number in (signal.SIGTERM, signal.SIGHUP):
            with self.subTest(signal=number):
                self.assertEqual(self.signalled(number), (number, {"code": number}))

    def test_deadly_signal_kills_both(self):
        self.assertEqual(self.signalled(signal.SIGUSR1), (-signal.SIGUSR1, {"signal": signal.SIGUSR1}))

    def test_ignored_signals_stay_ignored(self):
        script = "trap '' HUP; exec \"$@\""
        seen = subprocess.run(["sh", "-c", script, "sh", *self.run_command(), "sh", "-c", "kill -HUP $$; echo alive"],
                              capture_output=True, check=False, env=environment())
        self.assertEqual(seen.stdout, b"alive\n")

    def test_closed_standard_streams(self):
        script = 'exec <&- >&-; exec "$@"'
        seen = subprocess.run(["sh", "-c", script, "sh", *self.run_command(), str(self.build.programs / "malloc_leak")],
                              capture_output=True, check=False, env=environment(), timeout=TIMEOUT_SECONDS)
        self.assertEqual((seen.returncode, seen.stderr), (0, b""))
        report = json.loads(self.report.read_text(encoding="utf-8"))
        self.assertEqual([leak["bytes"] for leak in report["leaks"]], [81])

    def test_percent_p_is_the_pid(self):
        seen = Observed([self.build.command, "run", "--fail-on=none", f"--output={self.folder}/%p.txt",
                         f"--keep={self.folder}/%p.mspy", "--", "sh", "-c", "echo $$"])
        pid = seen.stdout.decode().strip()
        self.assertTrue((self.folder / f"{pid}.txt").exists(), seen)
        self.assertTrue((self.folder / f"{pid}.mspy").exists(), seen)

    def test_nothing_is_left_behind(self):
        """The run directory goes away, wherever it was."""
        env = environment(XDG_RUNTIME_DIR=str(self.folder), TMPDIR=str(self.folder))
        seen = self.observed(["sh", "-c", "true; /bin/true"], env=env)
        self.assertEqual(seen.status, 0, seen)
        for folder in (self.folder, pathlib.Path("/dev/shm"), pathlib.Path(tempfile.gettempdir())):
            self.assertEqual(list(folder.glob(f"mallocspy*-{seen.pid}-*")), [])
        self.assertEqual([path.name for path in self.folder.iterdir()], ["report.json"])


if __name__ == "__main__":
    PassesThroughTest.build = Build(sys.argv.pop(1))
    unittest.main()
