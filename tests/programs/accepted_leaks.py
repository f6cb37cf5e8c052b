"""Suppressions and baselines with programs as they come: compiled anew, stripped, and judged by Valgrind too.

    accepted_leaks.py BUILD_FOLDER [TEST...]
"""

import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

from observed_run import Build, Observed, checked_run, environment

# Three leaks, each from a function of its own; the places marked with @ are filled in by later versions.
PROGRAM = """
#include <cstdlib>
#include <cstring>
//@top
namespace shop {
class Basket {
 public:
  //@member
  void* Fill(int items) const { return std::calloc(items, 8); }
};
}  // namespace shop

//@function
static void LoseCopy(const char* text) { if (strdup(text) == nullptr) std::abort(); }
static void LoseArray() { int* volatile lost = new int[7]; lost = nullptr; }
static void LoseBasket() { void* volatile lost = shop::Basket().Fill(3); lost = nullptr; }
// What the calls left on the stack is no pointer any more.
static void Scrub() { char volatile room[4096]; for (char volatile& byte : room) byte = 1; }

int main() {
  //@main
  LoseCopy("a text");
  LoseArray();
  LoseBasket();
  Scrub();
  return 0;
}
"""
LEAKS = 3

# The same with other lines, other addresses, other functions around.
SHIFTED = {
    "//@top": "static int more[4096];\nint Unrelated(int a) {\n  return more[a]++ + 7;\n}\n",
    "//@member": "virtual ~Basket() = default;\n  int Count() const { return 3; }\n",
    "//@function": "\n\n\nint AlsoUnrelated(int a) { return Unrelated(a) * 3; }\n",
    "//@main": "if (AlsoUnrelated(1) == 0) return 1;\n\n",
}
# And one leak more.
MORE = {"//@function": "static void LoseMore() { void* volatile lost = std::malloc(99); lost = nullptr; }\n",
        "//@main": "LoseMore();\n"}


class AcceptedLeaksTest(unittest.TestCase):
    build = None

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="accepted_leaks."))
        self.addCleanup(shutil.rmtree, self.folder)

    def compiled(self, name, changes=(), options=("-g",)):
        """A program `name/shop`: the folder differs, the module's name does not."""
        text = PROGRAM
        for place, replacement in dict(changes).items():
            self.assertIn(place, text)
            text = text.replace(place, replacement)
        folder = self.folder / name
        folder.mkdir()
        (folder / "shop.cc").write_text(text, encoding="utf-8")
        subprocess.run(["c++", "-std=c++17", "-O0", *options, "-o", folder / "shop", folder / "shop.cc"], check=True)
        return folder / "shop"

    def lost(self, report):
        return [leak for leak in report["leaks"] if leak["class"] in ("definite", "indirect", "possible")]

    def checked(self, program, *options, status):
        seen, report = checked_run(self.build, options, [program])
        self.assertEqual(seen.status, status, f"{seen}\n{json.dumps(report, indent=1)[-3000:]}")
        return report

    def test_ids_outlive_a_rebuild(self):
        first = self.checked(self.compiled("first"), status=23)
        ids = {leak["id"] for leak in self.lost(first)}
        self.assertEqual(len(ids), LEAKS, first["leaks"])
        for name, options in (("shifted", ("-g",)), ("nameless_lines", ()), ("fixed_address", ("-g", "-no-pie"))):
            with self.subTest(name=name):
                again = self.checked(self.compiled(name, SHIFTED, options), status=23)
                self.assertEqual({leak["id"] for leak in self.lost(again)}, ids)

    def test_a_baseline_fails_only_on_what_is_new(self):
        baseline = self.folder / "baseline.json"
        self.checked_into(baseline, self.compiled("first"), 23)
        shifted = self.checked(self.compiled("shifted", SHIFTED), f"--baseline={baseline}", status=0)
        self.assertEqual(shifted["verdict"]["status"], "clean")
        self.assertEqual({leak["baseline"]["state"] for leak in self.lost(shifted)}, {"known"})
        more = self.checked(self.compiled("more", MORE), f"--baseline={baseline}", status=23)
        new = [leak for leak in self.lost(more) if leak["baseline"]["state"] != "known"]
        self.assertEqual([(leak["bytes"], leak["baseline"]["state"]) for leak in new], [(99, "new")])

    def checked_into(self, path, program, status):
        seen = Observed([self.build.command, "run", f"--output={path}", "--", program])
        self.assertEqual(seen.status, status, seen)

    def test_diff_of_two_builds(self):
        old, new = self.folder / "old.json", self.folder / "new.json"
        self.checked_into(old, self.compiled("first"), 23)
        self.checked_into(new, self.compiled("more", MORE), 23)
        seen = Observed([self.build.command, "diff", old, new])
        self.assertEqual(seen.status, 23, seen)
        self.assertIn(b"LoseMore", seen.stdout)
        self.assertNotIn(b"LoseArray", seen.stdout)
        seen = Observed([self.build.command, "diff", new, old])
        self.assertEqual(seen.status, 0, seen)
        self.assertIn(b"1 gone", seen.stdout)

    def test_leaks_of_a_stripped_program_differ(self):
        report = self.checked(self.compiled("stripped", options=("-s",)), status=23)
        self.assertEqual(len({leak["id"] for leak in self.lost(report)}), LEAKS, report["leaks"])

    def valgrind(self, program, *options):
        return Observed(["valgrind", "-q", "--leak-check=full", "--error-exitcode=9", *options, program])

    def test_what_valgrind_generates_is_read(self):
        program = self.compiled("first")
        seen = self.valgrind(program, "--gen-suppressions=all")
        self.assertEqual(seen.status, 9, seen)
        blocks = re.findall(rb"^\{\n.*?^\}\n", seen.stderr, re.MULTILINE | re.DOTALL)
        self.assertEqual(len(blocks), LEAKS, seen)
        path = self.folder / "valgrind.supp"
        path.write_bytes(b"".join(blocks))
        report = self.checked(program, f"--suppressions={path}", "--strict-suppressions", status=0)
        self.assertEqual({leak["suppressed_by"] for leak in self.lost(report)}, {"<insert_a_suppression_name_here>"})
        # Each is for its own leak: without one of them that one is left.
        path.write_bytes(b"".join(blocks[1:]))
        report = self.checked(program, f"--suppressions={path}", status=23)
        self.assertEqual(len([leak for leak in self.lost(report) if not leak["suppressed_by"]]), 1)

    def test_valgrind_reads_what_is_written(self):
        program = self.compiled("first")
        path = self.folder / "written.supp"
        self.checked(program, f"--write-suppressions={path}", status=23)
        self.checked(program, f"--suppressions={path}", "--strict-suppressions", status=0)
        seen = self.valgrind(program, f"--suppressions={path}")
        self.assertEqual(seen.status, 0, seen)

    def test_written_suppressions_silence_every_block_that_is_live(self):
        path = self.folder / "written.supp"
        script = [sys.executable, "-c", "import json, re, ctypes; print(len(json.dumps(list(range(99)))))"]
        command = [self.build.command, "run", "--output=/dev/null"]
        variables = environment(PYTHONHASHSEED="1")
        seen = Observed([*command, "--fail-on=any", f"--write-suppressions={path}", "--", *script], variables)
        self.assertEqual(seen.status, 23, seen)
        # Which of them is still reachable, and how large they are, may differ a little from run to run.
        text = re.sub(r"(?m)^ +(match-leak-kinds|#mallocspy):.*\n", "", path.read_text(encoding="utf-8"))
        path.write_text(text, encoding="utf-8")
        seen = Observed([*command, "--fail-on=any", f"--suppressions={path}", "--", *script], variables)
        self.assertEqual(seen.status, 0, seen)

    def test_a_file_of_leak_sanitizer(self):
        path = self.folder / "lsan.supp"
        path.write_text("# what is known\n\n  leak:LoseCopy\n#mallocspy: expires=2999-12-31 reason=to be fixed\n"
                        "leak:shop::Basket::Fi*\nleak:^LoseArray()$\n", encoding="utf-8")
        self.checked(self.compiled("first"), f"--suppressions={path}", "--strict-suppressions", status=0)

    def test_source_lines_and_frames_between(self):
        path = self.folder / "a.supp"
        line = PROGRAM.splitlines().index("  LoseBasket();") + 1
        path.write_text("{\n copy\n Memcheck:Leak\n src:*\n ...\n fun:main\n src:none\n}\n"
                        "{\n copy\n Memcheck:Leak\n ...\n fun:LoseCopy*\n}\n{\n array\n Memcheck:Leak\n src:shop.cc:*\n fun:main\n}\n"
                        f"{{\n basket\n Memcheck:Leak\n fun:calloc\n ...\n src:shop.cc:{line}\n}}\n", encoding="utf-8")
        report = self.checked(self.compiled("first"), f"--suppressions={path}", status=0)
        self.assertEqual({leak["suppressed_by"] for leak in self.lost(report)}, {"copy", "array", "basket"})
        self.assertEqual([use["state"] for use in report["suppressions"][:4]], ["unused", "used", "used", "used"])

    def test_the_ceiling_counts_every_process(self):
        program = self.compiled("first")
        path = self.folder / "a.supp"
        for ceiling, status in ((2 * LEAKS, 0), (2 * LEAKS - 1, 23)):
            path.write_text(f"#mallocspy: max-blocks={ceiling}\nleak:*/shop\n", encoding="utf-8")
            self.checked_script(f"{program}; {program}; true", f"--suppressions={path}", status)

    def checked_script(self, script, option, status):
        seen = Observed([self.build.command, "run", option, "--", "/bin/sh", "-c", script])
        self.assertEqual(seen.status, status, seen)

    def test_built_in_suppressions_keep_libraries_quiet(self):
        """The emergency pool of libstdc++ and the loader's records are live at the end of every C++ program."""
        folder = self.folder / "quiet"
        folder.mkdir()
        (folder / "quiet.cc").write_text("#include <dlfcn.h>\n#include <string>\nint main() { return dlopen(\"libm.so.6\", "
                                         "RTLD_NOW) == nullptr || std::string(\"x\").size() != 1; }\n", encoding="utf-8")
        subprocess.run(["c++", "-g", "-o", folder / "quiet", folder / "quiet.cc", "-ldl"], check=True)
        options = ("--fail-on=reachable", "--no-builtin-suppressions")
        self.assertNotEqual(self.checked(folder / "quiet", *options, status=23)["leaks"], [])
        report = self.checked(folder / "quiet", "--fail-on=reachable", status=0)
        self.assertIn("caches", {leak["suppressed_by"] for leak in report["leaks"]})
        self.assertNotIn(None, {leak["suppressed_by"] for leak in report["leaks"]})


if __name__ == "__main__":
    AcceptedLeaksTest.build = Build(sys.argv[1])
    unittest.main(argv=[sys.argv[0], *sys.argv[2:]])
