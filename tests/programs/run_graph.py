"""The object graph of a program that knows its own: live/known_graph.cc.

    run_graph.py BUILD_FOLDER [TEST...]
"""

import json
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import unittest

from observed_run import Build, Observed, environment

# Sizes of the nodes, and what points to what.
SIZES = {"a": 100, "b": 101, "c": 102, "d": 103, "e": 104, "e2": 105, "f": 106, "g": 107, "h": 108}
EDGES = {("a", "b", 0, 0), ("a", "c", 8, 0), ("b", "d", 0, 0), ("b", "h", 16, 0), ("c", "d", 0, 0), ("c", "e", 24, 0), ("d", "f", 8, 0),
         ("e", "e2", 0, 0), ("e2", "e", 8, 0), ("f", "g", 0, 40)}
# Which node each is immediately dominated by; a and h by the global variable.
DOMINATED = {"b": "a", "c": "a", "d": "a", "e": "c", "e2": "e", "f": "d", "g": "f"}


def retained(name):
    return SIZES[name] + sum(retained(other) for other, above in DOMINATED.items() if above == name)


class GraphTest(unittest.TestCase):
    build = None

    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="run_graph."))
        cls.dump = str(cls.folder / "known.mspy")
        cls.at = {}
        with subprocess.Popen([cls.build.programs / "known_graph"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                              env=environment(LD_PRELOAD=cls.build.library, MALLOCSPY_OPTIONS="report=none")) as program:
            for line in program.stdout:
                if line == "ready\n":
                    break
                name, value = line.split()
                cls.at[name] = int(value) ^ (2**64 - 1) if name == "lost" else int(value, 16)
            seen = Observed([cls.build.command, "dump", "-q", "-o", cls.dump, str(program.pid)])
            program.send_signal(signal.SIGKILL)
        if seen.status != 0:
            raise AssertionError(str(seen))

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.folder)

    def ask(self, *question):
        seen = Observed([self.build.command, "explore", "--format=json", self.dump, *question])
        self.assertEqual(seen.status, 0, seen)
        return json.loads(seen.stdout)

    def name_of(self, address):
        names = [name for name, at in self.at.items() if at == int(address, 16)]
        return names[0] if names else address

    def test_types_and_shapes_are_exact(self):
        found = {row["type"]: row["blocks"] for row in self.ask("types")["rows"] if row["type"] != "(unknown)"}
        self.assertEqual(found, {
            "zoo::Bird": 1, "zoo::Dog": 1, "zoo::Cage<zoo::Dog>": 1,
            "(std::list node)": 17,  # ten, three and four; that a list lies in a block makes it no node
            "(std::map or std::set node)": 25,
            "(std::unordered_map or std::unordered_set node)": 30,
            "(buckets of a std::unordered_map or std::unordered_set)": 1,
            "(std::vector elements)": 1, "(std::deque elements)": 8, "(std::deque map)": 1, "(std::string characters)": 1})
        for name, kind in (("vector_elements", "(std::vector elements)"), ("string_text", "(std::string characters)"), ("dog", "zoo::Dog"),
                           ("bird", "zoo::Bird"), ("cage", "zoo::Cage<zoo::Dog>"), ("list", "(unknown)"), ("shelf", "(unknown)"), ("list_first", "(std::list node)")):
            self.assertEqual(self.ask("show", hex(self.at[name]))["block"]["type"], kind)

    def test_references_are_exact(self):
        forth = set()
        for name in SIZES:
            for row in self.ask("refs", hex(self.at[name]))["rows"]:
                forth.add((name, self.name_of(row["to"]), row["at"], row["into"]))
        self.assertEqual(forth, EDGES)
        back = set()
        for name in SIZES:
            for row in self.ask("refby", hex(self.at[name]))["rows"]:
                if self.name_of(row["from"]) in SIZES:
                    back.add((self.name_of(row["from"]), name, row["at"], row["into"]))
        self.assertEqual(back, EDGES)

    def test_paths_lead_from_the_variable(self):
        for name, expected in (("a", ["a"]), ("h", ["h"]), ("e2", ["a", "c", "e", "e2"])):
            rows = self.ask("path", hex(self.at[name]))["rows"]
            self.assertTrue(rows[0]["what"].startswith("root"), rows)
            self.assertEqual([self.name_of(row["address"]) for row in rows[1:]], expected)
        # Two are as short.
        rows = self.ask("path", hex(self.at["g"]))["rows"]
        names = [self.name_of(row["address"]) for row in rows[1:]]
        self.assertIn(names, (["a", "b", "d", "f", "g"], ["a", "c", "d", "f", "g"]))
        self.assertEqual(rows[-2]["into"], 40)

    def test_dominators_and_retained_sizes_are_exact(self):
        for name, size in SIZES.items():
            shown = self.ask("show", hex(self.at[name]))["block"]
            self.assertEqual((shown["size"], shown["retained"]), (size, retained(name)), name)
            answer = self.ask("dominators", hex(self.at[name]))
            above = [self.name_of(row["address"]) for row in answer["above"]]
            self.assertEqual(above[-1], name)
            if name in DOMINATED:
                self.assertEqual(above[-2], DOMINATED[name])
            else:
                self.assertNotIn(above[-2], SIZES)
            below = {self.name_of(row["address"]): row["retained"] for row in answer["below"]}
            self.assertEqual(below, {other: retained(other) for other, by in DOMINATED.items() if by == name})

    def test_classes_of_reachability(self):
        for name, reach in [(name, "reachable") for name in SIZES if name != "g"] + [("g", "possible"), ("lost", "definite")]:
            self.assertEqual(self.ask("show", hex(self.at[name]))["block"]["reach"], reach, name)
        rows = self.ask("refs", hex(self.at["lost"]))["rows"]
        self.assertEqual([(row["size"], row["reach"]) for row in rows], [(202, "indirect")])
        self.assertEqual(self.ask("show", hex(self.at["lost"]))["block"]["retained"], 403)


if __name__ == "__main__":
    GraphTest.build = Build(sys.argv.pop(1))
    unittest.main()
