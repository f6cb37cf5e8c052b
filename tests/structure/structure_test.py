"""Proves that each structure check can fail: plants one violation and expects to be told of it."""

import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

import include_edges
import library_shape
import lone_headers
import source_tree
import tree_order

COMPILER = sys.argv.pop()
ROOT = pathlib.Path(__file__).resolve().parents[2]


class PlantedTest(unittest.TestCase):
    """A copy of the source tree, without its history, to plant violations in."""

    def setUp(self):
        self.root = pathlib.Path(tempfile.mkdtemp(prefix="structure_test."))
        self.addCleanup(shutil.rmtree, self.root)
        for path in source_tree.files(ROOT):
            (self.root / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / path, self.root / path)

    def plant(self, path, text):
        (self.root / path).parent.mkdir(parents=True, exist_ok=True)
        (self.root / path).write_text(text, encoding="utf-8")

    def assert_new(self, check, *expected):
        """Exactly one violation more than in the tree as it is, with all of `expected` in its text."""
        before = set(check(ROOT))
        new = [v for v in check(self.root) if v not in before]
        self.assertEqual(len(new), 1, new)
        for text in expected:
            self.assertIn(text, new[0])


class IncludeEdgesTest(PlantedTest):
    def test_upward(self):
        for source, target in (("spy", "allocator"), ("spy", "tools"), ("allocator", "tools"), ("tools", "tests")):
            with self.subTest(source=source, target=target):
                self.plant(f"{target}/planted_target.h", "#pragma once\n")
                self.plant(f"{source}/planted.h", f'#pragma once\n  #  include "{target}/planted_target.h"\n')
                self.assert_new(include_edges.violations, f"{source}/planted.h:2", "goes up")
                (self.root / source / "planted.h").unlink()

    def test_downward_is_silent(self):
        self.plant("tools/planted.h", '#include "spy/heap.h"\n#include "allocator/ledger/format.h"\n#include <vector>\n')
        self.assertEqual(set(include_edges.violations(self.root)), set(include_edges.violations(ROOT)))

    def test_library_headers_inside_the_target(self):
        for header in ("iostream", "vector", "string", "map", "memory", "functional", "mutex", "cstdio", "stdio.h"):
            for folder in ("spy", "allocator/ledger"):
                with self.subTest(header=header, folder=folder):
                    self.plant(f"{folder}/planted.h", f"#include <{header}>\n")
                    self.assert_new(include_edges.violations, f"{folder}/planted.h:1", f"<{header}>")
                    (self.root / folder / "planted.h").unlink()

    def test_allowed_headers_inside_the_target(self):
        self.plant("allocator/planted.h", "#include <atomic>\n#include <sys/mman.h>\n#include <new>\n")
        self.assertEqual(set(include_edges.violations(self.root)), set(include_edges.violations(ROOT)))

    def test_climbing(self):
        self.plant("spy/planted.h", '#include "../spy/heap.h"\n')
        self.assert_new(include_edges.violations, "spy/planted.h:1", "climbs")

    def test_not_rooted(self):
        self.plant("allocator/planted.h", '#include "process.h"\n')
        self.assert_new(include_edges.violations, "allocator/planted.h:1", "not written from the root")

    def test_built_in_spy_that_knows_more_than_the_contract(self):
        self.plant("spy/spies/planted.cc", '#include "spy/heap.h"\n')
        self.assert_new(include_edges.violations, "spy/spies/planted.cc:1", "alone")


class LoneHeadersTest(PlantedTest):
    def check(self, root):
        return lone_headers.violations(root, COMPILER)

    def test_header_that_needs_another(self):
        self.plant("allocator/planted.h", "#pragma once\ninline std::size_t planted() { return 0; }\n")
        self.assertIn("allocator/planted.h: does not compile alone", lone_headers.compile_alone(
            self.root, COMPILER, pathlib.Path("allocator/planted.h")))
        self.assertFalse(lone_headers.proven_by_build(self.root, pathlib.Path("allocator/planted.h")))

    def test_header_that_warns(self):
        self.plant("spy/planted.h", "#pragma once\ninline int planted(int unused) { return 0; }\n")
        self.assertIn("unused", lone_headers.compile_alone(self.root, COMPILER, pathlib.Path("spy/planted.h")))

    def test_proof_needs_the_source_to_be_built_and_to_begin_with_it(self):
        header = pathlib.Path("tools/planted.h")
        self.plant(header, "#pragma once\n")
        self.plant("tools/planted.cc", '#include <vector>\n#include "tools/planted.h"\n')
        self.plant("tools/CMakeLists.txt", "add_library(planted\n  planted.cc\n)\n")
        self.assertFalse(lone_headers.proven_by_build(self.root, header), "not its first include")
        self.plant("tools/planted.cc", '#include "tools/planted.h"\n')
        self.assertTrue(lone_headers.proven_by_build(self.root, header))
        self.plant("tools/CMakeLists.txt", "add_library(planted\n  other.cc\n)\n")
        self.assertFalse(lone_headers.proven_by_build(self.root, header), "not built")


class TreeOrderTest(PlantedTest):
    def test_empty_names(self):
        for name in ("common.h", "string_util.cc", "misc/thing.py", "test_helpers.cc", "heap_manager.h"):
            with self.subTest(name=name):
                self.plant(f"tools/{name}", "")
                self.assert_new(tree_order.violations, f"tools/{name}", "says nothing")
                (self.root / "tools" / name).unlink()

    def test_long_file(self):
        self.plant("tools/planted.cc", "\n" * 600)
        self.assertEqual(set(tree_order.violations(self.root)), set(tree_order.violations(ROOT)))
        self.plant("tools/planted.cc", "\n" * 601)
        self.assert_new(tree_order.violations, "tools/planted.cc: 601 lines")

    def test_machine_paths(self):
        for path in ("/" + "work/main/x", "/" + "root/.bashrc", "/" + "tmp/build-me/lib"):
            for text in (f"see {path}\n", f'"{path}"\n', f"-isystem {path}\n"):
                with self.subTest(text=text):
                    self.plant("tools/planted.md", text)
                    self.assert_new(tree_order.violations, "tools/planted.md:1", "one machine")

    def test_relative_paths_are_silent(self):
        self.plant("tools/planted.md", "build{0}x and ${{DIR}}{0}main\n".format("/" + "work/"))
        self.assertEqual(set(tree_order.violations(self.root)), set(tree_order.violations(ROOT)))


class LibraryShapeTest(unittest.TestCase):
    """A small library that is in order, and its broken relatives."""

    SOURCE = "extern void* calloc(unsigned long, unsigned long); void* door(void) { return calloc(1, 1); }"
    IN_ORDER = ["-Wl,-z,nodelete", "-Wl,--version-script=exports.map"]

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="structure_test."))
        self.addCleanup(shutil.rmtree, self.folder)
        self.exports("door")

    def exports(self, *names):
        text = "/* not_this; */ { global: " + " ".join(f"{name};" for name in names) + " local: *; };\n"
        (self.folder / "exports.map").write_text(text, encoding="utf-8")

    def violations(self, source=SOURCE, flags=tuple(IN_ORDER)):
        subprocess.run([COMPILER, "-x", "c", "-", "-fPIC", "-shared", "-o", "lib.so", "-Wl,--no-as-needed", *flags],
                       input=source, text=True, cwd=self.folder, check=True)
        return list(library_shape.violations(str(self.folder / "lib.so"), str(self.folder / "exports.map")))

    def needed_only_libc(self, flags):
        """The C++ driver adds libstdc++ and libm; a library of ours is linked as C."""
        return [*flags, "-nodefaultlibs", "-lc"]

    def test_in_order(self):
        self.assertEqual(self.violations(flags=self.needed_only_libc(self.IN_ORDER)), [])

    def test_unlisted_export(self):
        found = self.violations(self.SOURCE + " int extra;", self.needed_only_libc(["-Wl,-z,nodelete"]))
        self.assertEqual(len(found), 1)
        self.assertIn("exports extra", found[0])

    def test_missing_export(self):
        self.exports("door", "window")
        found = self.violations(flags=self.needed_only_libc(self.IN_ORDER))
        self.assertEqual(len(found), 1)
        self.assertIn("does not export window", found[0])

    def test_general_dynamic_tls(self):
        found = self.violations("__thread int value; int* door(void) { return &value; }",
                                self.needed_only_libc([*self.IN_ORDER, "-ftls-model=global-dynamic", "-O0"]))
        self.assertTrue(found)
        self.assertIn("thread-local", found[0])

    def test_initial_exec_tls_is_silent(self):
        found = self.violations("__thread int value; int* door(void) { return &value; }",
                                self.needed_only_libc([*self.IN_ORDER, "-ftls-model=initial-exec"]))
        self.assertEqual(found, [])

    def test_needed(self):
        found = self.violations(flags=[*self.needed_only_libc(self.IN_ORDER), "-lm"])
        self.assertEqual([violation.split()[-1] for violation in found], ["libm.so.6"])

    def test_nodelete(self):
        found = self.violations(flags=self.needed_only_libc(["-Wl,--version-script=exports.map"]))
        self.assertEqual(len(found), 1)
        self.assertIn("nodelete", found[0])


if __name__ == "__main__":
    unittest.main()
