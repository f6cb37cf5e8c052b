"""Proves that run_programs.py can fail: a right program with a wrong marker must not pass.

    checker_test.py BUILD_FOLDER
"""

import pathlib
import sys
import tempfile
import unittest

import run_programs
from observed_run import Build

# Program, what to replace in its source, by what.
WRONG = (
    ("leaks/malloc_leak.c", "3 blocks", "4 blocks"),
    ("leaks/malloc_leak.c", "81 bytes", "82 bytes"),
    ("leaks/malloc_leak.c", "bytes malloc", "bytes new"),
    ("leaks/malloc_leak.c", "// leak: 3 blocks 81 bytes malloc", ""),
    ("leaks/malloc_leak.c", "#include", "\n#include"),  # every line is one too low
    ("leaks/malloc_leak.c", "return 0;", "return 0;  // leak: 1 blocks 1 bytes malloc"),
    ("leaks/malloc_leak.c", "return 0;", "return 0;  // exit: 1"),
    ("leaks/malloc_leak.c", "return 0;", "return 0;  // error: double-free"),
    ("leaks/malloc_leak.c", "#include", "// degraded: nothing of the kind\n//"),
    ("leaks/deep_stack_leak.c", "frames: 302", "frames: 301"),
    ("leaks/inlined_leak.cc", "frame: 1 Physical()", "frame: 1 Innermost"),
    ("errors/double_free.c", "// error: double-free", ""),
    ("errors/double_free.c", "error: double-free", "error: invalid-free"),
    ("errors/many_errors.c", "count 1000", "count 999"),
    ("errors/heap_overflow_found_at_exit.c", "// error-at-exit: heap-overflow", ""),
    ("errors/heap_overflow_by_one.c", "  // error-allocated: heap-overflow", "\n// error-allocated: heap-overflow"),
    ("errors/doors_in_c.c", "size 27", "size 26"),
    ("errors/doors_in_c.c", "value 28", "value 29"),
    ("errors/doors_in_c.c", "used malloc", "used new"),
    ("errors/doors_in_c.c", "made malloc", "made new"),
    ("errors/doors_in_c.c", "allocated made", "allocated freed"),
    ("errors/doors_in_c.c", "freed freed", "freed made"),
    ("forks/child_leak.c", "// child-leak", "// leak"),
    ("forks/child_leak.c", "// child-leak: 2 blocks 62 bytes malloc", ""),
    ("ends/abort.c", "// signal: SIGABRT", "// signal: SIGSEGV"),
    ("ends/underscore_exit.c", "// exit: 5", "// exit: 6"),
    ("heap/own_malloc.c", "// verdict: incomplete", ""),
    ("heap/foreign_pointer.c", "foreign frees: 3", "foreign frees: 4"),
    ("heap/usable_size.c", "// plain: differs", ""),
    ("heap/usable_size.c", "prints: done", "prints: undone"),
)


class CheckerTest(unittest.TestCase):
    build = None

    def test_every_wrong_marker_is_found(self):
        checker = run_programs.ProgramsTest()
        checker.build = self.build
        checker.quiet = True
        with tempfile.TemporaryDirectory(prefix="checker_test.") as folder:
            for name, right, wrong in WRONG:
                with self.subTest(name=name, wrong=wrong):
                    text = (run_programs.HERE / name).read_text(encoding="utf-8")
                    self.assertIn(right, text)
                    source = pathlib.Path(folder, pathlib.Path(name).name)
                    source.write_text(text.replace(right, wrong, 1), encoding="utf-8")
                    with self.assertRaises(AssertionError):
                        checker.check(source.stem, source)


if __name__ == "__main__":
    CheckerTest.build = Build(sys.argv.pop(1))
    unittest.main()
