"""What mallocspy does with command lines, programs and files that are wrong.

    bad_input.py BUILD_FOLDER [TEST...]
"""

import json
import os
import pathlib
import shutil
import struct
import subprocess
import sys
import tempfile
import unittest

from observed_run import Build, Observed, accounting_faults, checked_run, environment

HEADER_VERSION_OFFSET = 8  # of allocator/ledger/format.h, behind the magic number


class BadInputTest(unittest.TestCase):
    build = None

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="bad_input."))
        self.addCleanup(shutil.rmtree, self.folder)

    def mallocspy(self, *arguments, **variables):
        return Observed([self.build.command, *arguments], environment(**variables))

    def assert_refused(self, seen, status, *words):
        """The status, and one line that says all the words; nothing of a program's output."""
        text = seen.stderr.decode()
        self.assertEqual(seen.status, status, seen)
        self.assertEqual(seen.stdout, b"", seen)
        self.assertEqual(text.count("\n"), 1, text)
        for word in words:
            self.assertIn(word, text)

    def file(self, name, data=b"", mode=0o644):
        path = self.folder / name
        path.write_bytes(data)
        path.chmod(mode)
        return path

    # Programs.

    def test_no_such_program(self):
        self.assert_refused(self.mallocspy("run", "--", "no-such-program"), 127, "no-such-program")
        self.assert_refused(self.mallocspy("run", "--", self.folder / "none"), 127, "none")
        self.assert_refused(self.mallocspy("run", "--", ""), 127)

    def test_not_executable(self):
        self.assert_refused(self.mallocspy("run", "--", self.file("plain")), 126, "plain")
        self.assert_refused(self.mallocspy("run", "--", self.folder), 126, "directory")

    def test_script_without_its_interpreter(self):
        script = self.file("script", b"#!/nonexistent/interpreter\n", 0o755)
        seen = self.mallocspy("run", "--", script)
        self.assertIn(seen.status, (126, 127), seen)
        self.assertNotEqual(seen.stderr, b"")

    def test_garbage_that_is_executable(self):
        seen = self.mallocspy("run", "--", self.file("garbage", b"\x7fELF" + bytes(100), 0o755))
        self.assertIn(seen.status, (25, 126), seen)
        self.assertIn("garbage", seen.stderr.decode())

    def test_truncated_program(self):
        whole = pathlib.Path("/bin/true").resolve().read_bytes()
        for size in (10, 63, 64, 100):
            with self.subTest(size=size):
                self.assert_refused(self.mallocspy("run", "--", self.file("cut", whole[:size], 0o755)), 126, "cut", "truncated")

    def test_limit_of_file_size_of_the_command_itself(self):
        seen = Observed(["sh", "-c", f"ulimit -f 0; exec {self.build.command} run --output=- -- /bin/true"])
        self.assertEqual(seen.status, 25, seen)
        self.assertIn("file size limit (ulimit -f)", seen.stdout.decode())

    def test_run_within_a_run(self):
        """Each tells of what it records; neither calls the other's program static."""
        inner = [self.build.command, "run", "--output=/dev/null", "--", self.build.programs / "double_free"]
        seen, report = checked_run(self.build, ["--fail-on=errors"], inner)
        self.assertEqual(seen.status, 24, "the inner one's")
        degraded = [sentence for process in report["children"] for sentence in process["process"]["degraded"]]
        self.assertEqual(len(degraded), 1, degraded)
        self.assertIn("double_free, which another 'mallocspy run' records", degraded[0])
        inner[-1] = "/bin/true"
        seen, report = checked_run(self.build, ["--fail-on=errors"], inner)
        self.assertEqual((seen.status, len(report["children"])), (0, 1), report["children"])

    def test_static_program(self):
        seen = self.mallocspy("run", "--", self.build.programs / "static_program")
        self.assertEqual(seen.status, 25, seen)
        self.assertIn("static", seen.stderr.decode())

    def test_static_child_is_not_silent(self):
        static = str(self.build.programs / "static_program")
        for door in ("posix_spawn", "posix_spawnp", "vfork", "fork", "fork_with_event", "system"):
            with self.subTest(door=door):
                seen, report = checked_run(self.build, [], [self.build.programs / "starts_program", door, static])
                self.assertEqual((seen.status, seen.stdout), (25, b"static program\n"), seen)
                unchecked = [process for process in report["children"] if process["verdict"]["status"] == "incomplete"]
                self.assertEqual(len(unchecked), 1, report["children"])
                self.assertIn("left no record", unchecked[0]["process"]["degraded"][0])
                self.assertIn(static, json.dumps(unchecked[0]["process"]))
                seen, report = checked_run(self.build, ["--follow=none"],
                                           [self.build.programs / "starts_program", door, static])
                self.assertEqual((seen.status, report["children"]), (0, []), seen)

    def test_followed_child_is_noted_once(self):
        for door in ("posix_spawn", "posix_spawnp", "vfork", "fork"):
            with self.subTest(door=door):
                seen, report = checked_run(self.build, [], [self.build.programs / "starts_program", door, "/bin/true"])
                self.assertEqual(seen.status, 0, seen)
                self.assertEqual([process["process"]["degraded"] for process in report["children"]], [[]])

    def test_program_with_its_own_malloc(self):
        seen = self.mallocspy("run", "--", self.build.programs / "own_malloc")
        self.assertEqual((seen.status, seen.stdout), (25, b"own\n"), seen)
        self.assertIn("own malloc", seen.stderr.decode())

    def test_spy_that_ends_the_process_while_it_is_loaded(self):
        spy = self.build.programs / "libending_spy_library.so"
        for arguments, how in (("exit", "status 0"), ("_exit", "status 9"), ("throw", "SIGABRT"), ("crash", "SIGSEGV"),
                               ("kill", "SIGKILL")):
            with self.subTest(arguments=arguments):
                seen = self.mallocspy("run", f"--spy={spy}:{arguments}", "--", "echo", "ran")
                self.assertEqual((seen.status, seen.stdout), (25, b""), seen)
                self.assertIn(f"the spy {spy}:{arguments} ended the process", seen.stderr.decode())
                self.assertIn(how, seen.stderr.decode())
                self.assertIn("the program was not started", seen.stderr.decode())

    def test_spy_that_ends_the_process_in_a_constructor(self):
        spy = self.build.programs / "libending_spy_library.so"
        seen = self.mallocspy("run", f"--spy={spy}", "--", "echo", "ran", END_IN_CONSTRUCTOR="1")
        self.assertEqual((seen.status, seen.stdout), (25, b""), seen)
        self.assertIn(f"the spy {spy} ended the process with status 0", seen.stderr.decode())

    def test_spy_that_fails_after_one_that_was_loaded(self):
        spy = self.build.programs / "libending_spy_library.so"
        log = self.folder / "log"
        seen = self.mallocspy("run", f"--spy=trace:file={log}", f"--spy={spy}:none", "--", "echo", "ran")
        self.assertEqual((seen.status, seen.stdout), (25, b""), seen)
        self.assertIn(f"the spy {spy}:none could not be loaded", seen.stderr.decode())
        self.assertEqual(self.mallocspy("run", f"--spy=trace:file={log}", "--", "echo", "ran").status, 0)

    def test_bare_spy_name_without_installed_spies(self):
        shutil.copy(self.build.library, self.folder)
        library = self.folder / "libmallocspy.so"
        self.assert_refused(self.mallocspy("run", "--spy=trace", "--", "true", MALLOCSPY_LIBRARY=str(library)), 2, "'trace'",
                            "no spy is installed", str(self.folder))

    def test_fail_on_none_keeps_the_status_of_what_was_not_checked(self):
        for program in ("static_program", "own_malloc"):
            with self.subTest(program=program):
                seen = self.mallocspy("run", "--fail-on=none", "--", self.build.programs / program)
                self.assertEqual(seen.status, 0, seen)

    # Command lines.

    def test_unknown_option_names_the_nearest(self):
        for given, nearest in (("--formt=json", "--format"), ("--fail_on=any", "--fail-on"), ("--outputs=x", "--output"),
                               ("--kep=x", "--keep"), ("--folow=all", "--follow"), ("--forma=json", "--format")):
            with self.subTest(given=given):
                self.assert_refused(self.mallocspy("run", given, "--", "true"), 2, given.split("=")[0], nearest)

    def test_bad_value_names_the_nearest(self):
        for given, nearest in (("--format=jsn", "json"), ("--format=txt", "text"), ("--fail-on=errorss", "errors"),
                               ("--fail-on=any,definit", "definite"), ("--follow=al", "all")):
            with self.subTest(given=given):
                self.assert_refused(self.mallocspy("run", given, "--", "true"), 2, given.split("=")[1].split(",")[-1], f"'{nearest}'")

    def test_values_that_are_none(self):
        for given in ("--format=", "--top=many", "--top=-1", "--top=99999999999999999999", "--fail-on=", "--follow"):
            with self.subTest(given=given):
                self.assertEqual(self.mallocspy("run", given, "--", "true").status, 2)

    def test_unknown_command_names_the_nearest(self):
        self.assert_refused(self.mallocspy("rum", "--", "true"), 2, "'rum'", "'run'")
        self.assert_refused(self.mallocspy("reprot", "x.mspy"), 2, "'report'")

    def test_nothing_to_do(self):
        self.assert_refused(self.mallocspy("run"), 2)
        self.assert_refused(self.mallocspy("run", "--"), 2)
        self.assert_refused(self.mallocspy("report"), 2)
        self.assertEqual(self.mallocspy().status, 2)

    def test_library_options(self):
        for options, word in (("stack_dept=4", "stack_depth"), ("stack_depth=0", "stack_depth"), ("stack_depth=x", "stack_depth"),
                              ("guard", "guard"), ("guard=2", "guard"), ("folow=none", "follow")):
            with self.subTest(options=options):
                self.assert_refused(self.mallocspy("run", "--", "true", MALLOCSPY_OPTIONS=options), 2, "MALLOCSPY_OPTIONS", word)

    def test_spy_that_cannot_be_loaded(self):
        echo = ("--", "/bin/echo", "ran")
        self.assert_refused(self.mallocspy("run", "--spy=/nonexistent/spy.so", *echo), 2, "/nonexistent/spy.so")
        for name, data in (("garbage.so", b"not a library"), ("empty.so", b"")):
            seen = self.mallocspy("run", f"--spy={self.file(name, data)}", *echo)
            self.assertEqual((seen.status, seen.stdout), (25, b""), seen)
            self.assertIn(name, seen.stderr.decode())
        no_spy = self.build.programs / "libdeepbind_library.so"
        seen = self.mallocspy("run", f"--spy={no_spy}", *echo)
        self.assertEqual((seen.status, seen.stdout), (25, b""), seen)
        self.assertIn("MallocSpyCreate", seen.stderr.decode())

    # What cannot be written.

    def test_report_that_cannot_be_written(self):
        program = self.build.programs / "libc_allocates"
        for path in ("/nonexistent/report.json", "/dev/full", str(self.folder)):
            with self.subTest(path=path):
                seen = self.mallocspy("run", "--format=json", f"--output={path}", "--", program)
                self.assertEqual((seen.stdout, seen.status), (b"done\n", 25), seen)
                self.assertEqual(seen.stderr.count(b"\n"), 1, seen)
                self.assertIn(path, seen.stderr.decode())

    def test_snapshot_that_cannot_be_kept(self):
        program = self.build.programs / "libc_allocates"
        fifo = self.folder / "fifo.mspy"
        os.mkfifo(fifo)
        for path in ("/nonexistent/kept.mspy", "/proc/kept.mspy", str(self.folder), str(fifo)):
            with self.subTest(path=path):
                seen = self.mallocspy("run", f"--keep={path}", f"--output={self.folder}/report.txt", "--", program)
                self.assertEqual((seen.stdout, seen.status), (b"done\n", 25), seen)
                self.assertEqual(seen.stderr.count(b"\n"), 1, seen)
                self.assertIn(path, seen.stderr.decode())
        self.assertTrue(fifo.is_fifo(), "it was replaced")

    def test_program_with_a_limit_of_file_size(self):
        """The record is a file; a limit must neither kill the program nor go unnoticed."""
        for blocks in (0, 1, 64):
            with self.subTest(blocks=blocks):
                script = f"ulimit -f {blocks}; exec {self.build.programs}/malloc_leak"
                seen, report = checked_run(self.build, ["--fail-on=none"], ["sh", "-c", script])
                self.assertEqual((seen.stdout, seen.stderr, seen.status), (b"", b"", 0))
                self.assertIsNotNone(report)
                whole = sum(leak["bytes"] for leak in report["leaks"]) == 81
                self.assertTrue(whole or "ulimit -f" in " ".join(report["process"]["degraded"]), report)

    def test_record_on_a_full_disk(self):
        """The record's file system runs full: the program must not notice, and the totals stay exact."""
        if subprocess.run(["unshare", "-rm", "true"], capture_output=True, check=False).returncode != 0:
            self.skipTest("this user cannot mount a small file system here")
        script = f"""mount --bind {self.build.programs.parents[2]} /mnt && mount -t tmpfs -o size=256k none /tmp &&
                     mount --bind /tmp /dev/shm && mount --bind /tmp /run || exit 99
                     unset XDG_RUNTIME_DIR TMPDIR
                     exec /mnt/bin/mallocspy run --fail-on=none --format=json --output=- -- \\
                          /mnt/tests/programs/bin/many_stacks_leak"""
        seen = Observed(["unshare", "-rm", "sh", "-c", script])
        self.assertEqual((seen.status, seen.stderr), (0, b""), seen)
        report = json.loads(seen.stdout)
        self.assertEqual((report["totals"]["live_blocks"], report["totals"]["live_bytes"]), (4096, 77824))
        self.assertEqual([], list(accounting_faults(report)))
        self.assertIn("memory for the record ran out", " ".join(report["process"]["degraded"]))

    def test_no_place_for_the_run_directory(self):
        """Where nothing can be written at all the program runs, unchecked."""
        seen = self.mallocspy("run", "--", "/bin/echo", "ran", TMPDIR="/nonexistent", XDG_RUNTIME_DIR="/nonexistent")
        self.assertEqual(seen.stdout, b"ran\n", seen)

    # Snapshots.

    def snapshot(self):
        path = self.folder / "good.mspy"
        if not path.exists():
            seen = self.mallocspy("run", "--fail-on=none", f"--keep={path}", f"--output={self.folder}/report.txt", "--",
                                  self.build.programs / "many_sizes_leak")
            self.assertEqual(seen.status, 0, seen)
        return path.read_bytes()

    def test_good_snapshot(self):
        self.snapshot()
        seen = self.mallocspy("report", "--fail-on=none", "--output=-", self.folder / "good.mspy")
        self.assertEqual(seen.status, 0, seen)
        self.assertIn("2026 blocks (35555431 bytes) lost", seen.stdout.decode())
        self.assertEqual(self.mallocspy("report", "--fail-on=any", self.folder / "good.mspy").status, 23)

    def test_foreign_files(self):
        for name, data in (("empty.mspy", b""), ("text.mspy", b"hello, I am no snapshot\n" * 100), ("zeros.mspy", bytes(10000)),
                           ("elf.mspy", pathlib.Path(self.build.command).read_bytes()[:20000])):
            with self.subTest(name=name):
                self.assert_refused(self.mallocspy("report", self.file(name, data)), 2, name)

    def test_newer_version(self):
        data = bytearray(self.snapshot())
        version, = struct.unpack_from("<I", data, HEADER_VERSION_OFFSET)
        struct.pack_into("<I", data, HEADER_VERSION_OFFSET, version + 1)
        self.assert_refused(self.mallocspy("report", self.file("newer.mspy", bytes(data))), 2, "newer.mspy", f"{version + 1}")

    def test_truncated(self):
        data = self.snapshot()
        for length in sorted({1, 7, 8, 100, 4095, 4096, 4097, *range(5000, len(data), max(len(data) // 40, 1)), len(data) - 1}):
            self.assert_refused(self.mallocspy("report", self.file("cut.mspy", data[:length])), 2, "cut.mspy")

    def test_damaged(self):
        """Any byte may be anything: what comes out must be a report or a refusal, and the command must live."""
        data = self.snapshot()
        random = 1
        for _ in range(150):
            damaged = bytearray(data)
            for _ in range(20):
                random = (random * 1103515245 + 12345) % 2**31
                at = random % min(len(data), 16384)
                damaged[at] = random >> 16 & 0xff
            seen = self.mallocspy("report", "--format=json", "--fail-on=any", self.file("damaged.mspy", bytes(damaged)))
            self.assertIn(seen.status, (0, 2, 23, 24, 25), seen)

    def test_not_even_files(self):
        fifo = self.folder / "fifo.mspy"
        os.mkfifo(fifo)
        for path in (self.folder, fifo, "/dev/zero", "/dev/null"):
            with self.subTest(path=path):
                self.assertEqual(self.mallocspy("report", path).status, 2)

    def test_missing_snapshot(self):
        self.assertIn(self.mallocspy("report", self.folder / "none.mspy").status, (2, 25))


if __name__ == "__main__":
    BadInputTest.build = Build(sys.argv.pop(1))
    unittest.main()
