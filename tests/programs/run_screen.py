"""`mallocspy top` on a terminal.

    run_screen.py BUILD_FOLDER [TEST...]
"""

import contextlib
import fcntl
import os
import pathlib
import pty
import select
import shutil
import signal
import struct
import sys
import tempfile
import termios
import time
import unittest

from obedient import Obedient
from observed_run import TIMEOUT_SECONDS, Build, Observed


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
            screen.wait_for("locks, ")  # "by blocks" in place of "by bytes": only what differs is written
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
            # What is written over is not written whole: so the dump tells whether there is a mark.
            dump = self.folder / "d.mspy"
            screen.press(f"d{dump}\n")
            deadline = time.monotonic() + TIMEOUT_SECONDS
            while not dump.exists() and time.monotonic() < deadline:
                time.sleep(0.05)
            marks = Observed([self.build.command, "explore", "--format=json", dump, "marks"])
            self.assertIn(b"by hand", marks.stdout, marks)
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
    ScreenTest.build = Build(sys.argv.pop(1))
    unittest.main()
