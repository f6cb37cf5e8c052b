"""The explorer's interactive shell, on a terminal.

    shell_test.py MALLOCSPY WRITE_HEAP [TEST...]
"""

import os
import pathlib
import pty
import select
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
import unittest

PROMPT = "mallocspy> "
PATIENCE_SECONDS = 20  # for what a loaded machine takes; nothing waits so long when all is well


class Shell:
    """`mallocspy explore FILE` on a terminal of its own."""

    def __init__(self, arguments, environment):
        self.pid, self.terminal = pty.fork()
        if self.pid == 0:
            os.execve(arguments[0], arguments, environment)
        self.text = ""
        self.status = None
        self.wait_for(PROMPT)

    def read_some(self, seconds):
        """False at the end of the output."""
        if not select.select([self.terminal], [], [], seconds)[0]:
            return True
        try:
            data = os.read(self.terminal, 65536)
        except OSError:  # the other end is closed
            return False
        self.text += data.decode(errors="replace")
        return bool(data)

    def wait_for(self, words):
        """What is seen up to and with the words; it is taken away."""
        end = time.monotonic() + PATIENCE_SECONDS
        while words not in self.text:
            if time.monotonic() > end or not self.read_some(1):
                raise AssertionError(f"{words!r} did not come, but {self.text!r}")
        at = self.text.index(words) + len(words)
        seen, self.text = self.text[:at], self.text[at:]
        return seen

    def type(self, keys):
        os.write(self.terminal, keys.encode())

    def line(self, text):
        """What a line brings, up to the next prompt."""
        self.type(text + "\n")
        return self.wait_for("\n" + PROMPT)

    def end(self):
        """The exit status, once the program is gone."""
        while self.read_some(PATIENCE_SECONDS):
            pass
        _, status = os.waitpid(self.pid, 0)
        self.pid = 0
        return os.waitstatus_to_exitcode(status)

    def close(self):
        os.close(self.terminal)
        if self.pid:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)


class ShellTest(unittest.TestCase):
    mallocspy = write_heap = None

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="shell_test."))
        self.addCleanup(shutil.rmtree, self.folder)
        self.file = str(self.folder / "heap.mspy")
        subprocess.run([self.write_heap, self.file], check=True)
        self.environment = {"TERM": "xterm", "PATH": os.environ["PATH"], "HOME": str(self.folder), "LC_ALL": "C.UTF-8"}
        self.history = self.folder / ".local/state/mallocspy/history"

    def shell(self, *arguments):
        shell = Shell([self.mallocspy, "explore", *arguments, self.file], self.environment)
        self.addCleanup(shell.close)
        return shell

    def test_answers_until_it_is_told_to_quit(self):
        shell = self.shell()
        self.assertIn("depot::Session", shell.line("types"))
        self.assertIn("there is no command 'blokcs' (did you mean 'blocks'?)", shell.line("blokcs"))
        self.assertIn("summary", shell.line("help"))
        shell.type("quit\n")
        self.assertEqual(shell.end(), 0)

    def test_the_end_of_the_input_ends_it(self):
        shell = self.shell()
        shell.type("\x04")
        self.assertEqual(shell.end(), 0)

    def test_the_tabulator_completes(self):
        shell = self.shell()
        # The terminal shows what was added, and how it got there.
        shell.type("summ\t")
        shell.wait_for("ary ")
        self.assertIn("live_blocks", shell.line(""))
        shell.type("types cla\t")
        shell.wait_for("ss=")
        shell.type("depot::S\t")
        shell.wait_for("ession ")
        self.assertIn("328", shell.line(""))
        shell.type("blocks function=depot::Lo\t")  # LoadEntries and LoseTrack
        shell.wait_for("depot::LoadEntries")
        shell.wait_for("depot::LoseTrack")
        shell.type("s\t")
        shell.wait_for("eTrack ")
        self.assertIn("4 blocks", shell.line(""))
        shell.line("let lost = blocks reach=definite")
        shell.type("retained in lo\t")
        shell.wait_for("st ")
        self.assertIn("3040", shell.line(""))

    def test_lines_are_kept_for_the_next_time(self):
        shell = self.shell()
        shell.line("blocks size>=3000")
        shell.line("sets")
        shell.type("\x1b[A\x1b[A")
        shell.wait_for("blocks size>=3000")
        self.assertIn("2 blocks", shell.line(""))
        shell.type("quit\n")
        shell.end()
        self.assertEqual(self.history.read_text().splitlines(), ["blocks size>=3000", "sets", "blocks size>=3000", "quit"])
        self.assertEqual(stat.S_IMODE(self.history.stat().st_mode), 0o600)
        self.assertEqual(stat.S_IMODE(self.history.parent.stat().st_mode), 0o700)

        again = self.shell()
        again.type("\x1b[A\x1b[A")
        again.wait_for("blocks size>=3000")
        self.assertIn("2 blocks", again.line(""))

    def test_the_history_lies_where_the_environment_says(self):
        state = self.folder / "state"
        self.environment["XDG_STATE_HOME"] = str(state)
        shell = self.shell()
        shell.line("sets")
        self.assertEqual((state / "mallocspy/history").read_text(), "sets\n")
        self.assertFalse(self.history.exists())

    def test_goes_on_without_a_history(self):
        (self.folder / ".local").write_text("in the way")
        shell = self.shell()
        self.assertIn("lines will not be in the history", shell.line("sets"))
        self.assertNotIn("lines will not be in the history", shell.line("sets"))

    def test_an_interrupt_gives_the_line_up(self):
        shell = self.shell()
        shell.type("blocks siz\x03")
        shell.wait_for(PROMPT)
        self.assertIn("no set yet", shell.line("sets"))

    def test_tables_fit_the_terminal(self):
        import fcntl
        import struct
        import termios
        shell = self.shell()
        fcntl.ioctl(shell.terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 90, 0, 0))
        shell.line("sets")  # the next line knows the new width
        lines = shell.line("blocks").replace("\r", "").split("\n")
        rows = [line for line in lines if line.lstrip().startswith("0x")]
        self.assertEqual(len(rows), 16, lines)
        self.assertLessEqual(max(map(len, rows)), 90)
        self.assertTrue(any("\u2026" in row for row in rows), rows)

    def test_another_format(self):
        self.assertIn('{"command":"sets","rows":[]', self.shell("--format=json").line("sets"))


if __name__ == "__main__":
    ShellTest.mallocspy, ShellTest.write_heap = sys.argv[1:3]
    unittest.main(argv=[sys.argv[0], *sys.argv[3:]])
