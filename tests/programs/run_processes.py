"""`mallocspy run` over make, ctest and shell scripts: nothing changes for them, and the program that leaks is named.

    run_processes.py BUILD_FOLDER [TEST...]
"""

import json
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import unittest
import xml.etree.ElementTree

from observed_run import Build, Observed, environment

LEAKY = """#include <stdio.h>
#include <stdlib.h>
static void Lose(void) { void* volatile block = malloc(27); (void)block; }
int main(int argc, char** argv) {
  Lose();
  puts("leaky ran");
  return argc > 1 ? atoi(argv[1]) : 0;
}
"""
TIDY = """#include <stdio.h>
#include <stdlib.h>
int main(void) { free(malloc(5)); puts("tidy ran"); return 0; }
"""
MAKEFILE = """all: leaky tidy checked
leaky tidy: %: %.c
\tcc -g -O0 -o $@ $<
checked: leaky tidy
\t./tidy
\t./leaky | cat > $@
\t@for i in 1 2 3; do (./leaky > /dev/null) & done; wait
"""
PROJECT = """cmake_minimum_required(VERSION 3.16)
project(small C)
enable_testing()
foreach(name leaky tidy)
  add_executable(${name} ${name}.c)
endforeach()
add_test(NAME leaks COMMAND leaky)
add_test(NAME is_tidy COMMAND tidy)
add_test(NAME script COMMAND sh -c "'$<TARGET_FILE:tidy>' && '$<TARGET_FILE:tidy>'")
"""


class ProcessesTest(unittest.TestCase):
    build = None

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="run_processes."))
        self.addCleanup(shutil.rmtree, self.folder)
        for name, text in (("leaky.c", LEAKY), ("tidy.c", TIDY), ("Makefile", MAKEFILE), ("CMakeLists.txt", PROJECT)):
            (self.folder / name).write_text(text, encoding="utf-8")

    def compile(self):
        for name in ("leaky", "tidy"):
            subprocess.run(["cc", "-g", "-O0", "-o", name, f"{name}.c"], cwd=self.folder, check=True)

    def run_it(self, arguments, *options):
        """What was observed, the JSON report and the text."""
        report, text = self.folder / "report.json", self.folder / "report.txt"
        seen = Observed([self.build.command, "run", f"--output={report}", f"--output={text}", *options, "--", *arguments],
                        cwd=self.folder)
        return seen, json.loads(report.read_text(encoding="utf-8")), text.read_text(encoding="utf-8")

    def leaks(self, report):
        """Of the summary's lost leaks: program, processes, blocks, bytes."""
        return [(pathlib.Path(leak["programs"][0]).name, leak["processes"], leak["blocks"], leak["bytes"])
                for leak in report["summary"]["leaks"] if leak["class"] != "reachable"]

    def shell(self, script, processes, status=23, shell="sh"):
        """A script's output and status stay; so many processes of leaky leak, and nobody else."""
        plain = Observed([shell, "-c", script], cwd=self.folder)
        seen, report, text = self.run_it([shell, "-c", script])
        self.assertEqual((seen.stdout, seen.stderr), (plain.stdout, plain.stderr), seen)
        self.assertEqual(seen.status, plain.status or status, seen)
        expected = [("leaky", processes, processes, 27 * processes)] if processes else []
        self.assertEqual(self.leaks(report), expected)
        if processes:
            self.assertRegex(text, r"#0 0x\w+ in Lose .*/leaky\.c:3")
            self.assertEqual(text.count(" in Lose "), 1, text)
        return report, text

    # make and ctest.

    def test_make(self):
        plain = Observed(["make", "-j2"], cwd=self.folder)
        self.assertEqual(plain.status, 0, plain)
        made = (self.folder / "checked").read_text(encoding="utf-8")
        for name in ("leaky", "tidy", "checked"):
            (self.folder / name).unlink()
        seen, report, text = self.run_it(["make", "-j2"])
        self.assertEqual(seen.status, 23, seen)
        self.assertEqual(sorted(seen.stdout.splitlines()), sorted(plain.stdout.splitlines()))
        self.assertEqual(seen.stderr, plain.stderr)
        self.assertEqual((self.folder / "checked").read_text(encoding="utf-8"), made)
        self.assertEqual(self.leaks(report), [("leaky", 4, 4, 108)])
        self.assertTrue(text.startswith("mallocspy: leaks: 4 of "), text)
        self.assertRegex(text, r"\(in 4 processes of leaky, ")
        self.assertRegex(text, r"mallocspy: not judged: \d+ processes of other programs \(make, ")

    def test_make_that_only_builds_is_not_failed_by_its_compiler(self):
        seen, report, text = self.run_it(["make", "leaky"])
        self.assertEqual(seen.status, 0, text)
        self.assertEqual(self.leaks(report), [])
        compilers = [child for child in report["children"] if child["process"]["exe"].endswith("/cc1")]
        self.assertTrue(compilers and not any(compiler["verdict"]["judged"] for compiler in compilers))

    def test_make_keeps_its_own_failure(self):
        (self.folder / "Makefile").write_text("all:\n\t./leaky 3\n", encoding="utf-8")
        self.compile()
        seen, report, _ = self.run_it(["make"])
        self.assertEqual(seen.status, 2, seen)
        self.assertIn(b"Error 3", seen.stderr)
        self.assertEqual(self.leaks(report), [("leaky", 1, 1, 27)])

    def test_ctest(self):
        build = self.folder / "b"
        subprocess.run(["cmake", "-G", "Ninja", "-S", self.folder, "-B", build, "-DCMAKE_BUILD_TYPE=Debug"], check=True,
                       capture_output=True, env=environment())
        subprocess.run(["cmake", "--build", build], check=True, capture_output=True, env=environment())
        plain = Observed(["ctest", "--test-dir", build, "-j2"])
        seen, report, text = self.run_it(["ctest", "--test-dir", build, "-j2"])
        self.assertEqual((plain.status, seen.status), (0, 23), seen)
        outcomes = [sorted(re.findall(r"Test +#\d+: (\w+) \.+ +(\w+)", run.stdout.decode())) for run in (plain, seen)]
        self.assertEqual(outcomes[0], [("is_tidy", "Passed"), ("leaks", "Passed"), ("script", "Passed")])
        self.assertEqual(outcomes[0], outcomes[1])
        self.assertEqual(self.leaks(report), [("leaky", 1, 1, 27)])
        self.assertRegex(text, r"\Amallocspy: leaks: \S*/leaky \(pid \d+\) had 1 block \(27 bytes\) lost at the end\n")
        self.assertRegex(text, r"mallocspy: \d+ other processes are clean ")
        only = [self.build.command, "run", "--judge=tidy", f"--output={self.folder}/only.json", "--", "ctest", "--test-dir", build]
        self.assertEqual(Observed(only).status, 0)

    # Shells.

    def test_shell(self):
        self.compile()
        self.shell("./leaky; ./tidy; ./leaky", 2)

    def test_pipelines_and_subshells(self):
        self.compile()
        self.shell("./leaky | cat | sed s/ran/ran\\ well/; (./tidy; (./leaky)); echo $(./leaky)", 3)

    def test_background_jobs(self):
        self.compile()
        self.shell("for i in 1 2 3; do ./leaky > out.$i & done; wait; cat out.*", 3)

    def test_exec(self):
        self.compile()
        report, _ = self.shell("./tidy; exec ./leaky", 1)
        self.assertTrue(report["process"]["exe"].endswith("/leaky"))
        self.shell("./leaky; exec ./tidy", 1)

    def test_other_shells_and_scripts(self):
        self.compile()
        for shell in ("bash", "dash"):
            self.shell("run() { ./leaky; }; run; x=$(run); (:) ; { :; } & wait; echo \"$x\"", 2, shell=shell)
        script = self.folder / "script"
        script.write_text("#!/bin/sh\n# a test\n./leaky \"$@\" <<end\nend\n", encoding="utf-8")
        script.chmod(0o755)
        self.shell("./script", 1)
        self.shell("./script 7", 1)

    def test_status_of_the_script_comes_first(self):
        self.compile()
        self.shell("./leaky; exit 9", 1)
        self.shell("./leaky 3 || ./tidy", 1)
        self.shell("./tidy; false | true", 0, status=0)
        killed = Observed([self.build.command, "run", "--", "sh", "-c", "./leaky; kill -9 $$"], cwd=self.folder)
        self.assertEqual(killed.status, -signal.SIGKILL, killed)

    def test_a_hundred_children_are_one_leak(self):
        self.compile()
        report, text = self.shell("i=0; while [ $i -lt 100 ]; do ./leaky; i=$((i + 1)); done", 100)
        self.assertEqual(len([child for child in report["children"] if child["leaks"]]), 100)
        self.assertEqual(text.count("==ERROR: mallocspy: detected memory leaks"), 1, text)
        self.assertEqual(text.count("Receipt of "), 1, text)
        self.assertLess(len(text.splitlines()), 40, text)

    def test_every_format_has_a_shared_leak_once(self):
        self.compile()
        files = {name: self.folder / f"report.{name}" for name in ("xml", "sarif", "md", "json")}
        files["github"] = self.folder / "annotations"
        Observed([self.build.command, "run", *(f"--output={files[name]}" for name in ("xml", "sarif", "md", "json")),
                  "--format=github", f"--output={files['github']}", "--", "sh", "-c", "./leaky; ./leaky; ./leaky; ./tidy"],
                 cwd=self.folder)
        suites = xml.etree.ElementTree.parse(files["xml"]).getroot()
        self.assertEqual([(suite.get("name"), suite.get("failures")) for suite in suites], [("leaky", "1"), ("tidy", "0")])
        results = json.loads(files["sarif"].read_text(encoding="utf-8"))["runs"][0]["results"]
        lost = [result for result in results if result["ruleId"] == "leak-definite"]
        self.assertEqual([result["properties"] for result in lost], [{"blocks": 3, "bytes": 81, "processes": 3}])
        markdown = files["md"].read_text(encoding="utf-8")
        self.assertRegex(markdown, r"\n\| definite \| 3 \| 3 \| 81 \| `Lose at leaky\.c:3` \|\n")
        annotations = files["github"].read_text(encoding="utf-8")
        self.assertEqual(annotations.count("::error "), 1, annotations)
        self.assertIn("::error file=leaky.c,line=3,", annotations)
        self.assertIn("in 3 processes", annotations)

    def test_a_file_for_each_process(self):
        self.compile()
        seen = Observed([self.build.command, "run", f"--output={self.folder}/each.%p.json", f"--output={self.folder}/all.json", "--",
                         "sh", "-c", "./leaky; ./tidy; exec ./leaky"], cwd=self.folder)
        self.assertEqual(seen.status, 23, seen)
        whole = json.loads((self.folder / "all.json").read_text(encoding="utf-8"))
        self.assertEqual(whole["summary"]["processes"], 3)
        each = {path.name: json.loads(path.read_text(encoding="utf-8")) for path in self.folder.glob("each.*.json")}
        self.assertEqual(sorted((pathlib.Path(report["process"]["exe"]).name, len(report["children"])) for report in each.values()),
                         [("leaky", 0), ("leaky", 1), ("tidy", 0)])
        for name, report in each.items():
            self.assertEqual(name, f"each.{report['process']['pid']}.json")

    def test_a_killed_helper_is_no_fault(self):
        self.compile()
        subprocess.run(["cc", "-x", "c", "-", "-o", "waits"], cwd=self.folder, check=True, text=True,
                       input="#include <fcntl.h>\n#include <stdlib.h>\n#include <unistd.h>\nvoid* held;\n"
                             "int main(void) { held = malloc(9); close(creat(\"up\", 0600)); for (;;) pause(); }\n")
        script = "rm -f up; ./waits & until [ -e up ]; do :; done; kill $!; wait $! 2>/dev/null; ./tidy"
        report, _ = self.shell(script, 0, status=0)
        helpers = [child for child in report["children"] if child["process"]["exe"].endswith("/waits")]
        self.assertEqual([(child["process"]["exit"], child["verdict"]["status"]) for child in helpers], [({}, "incomplete")])

    def test_an_interpreter_that_loads_the_users_library_is_judged(self):
        library = self.folder / "libext.so"
        subprocess.run(["cc", "-g", "-shared", "-fPIC", "-x", "c", "-", "-o", library], check=True, text=True,
                       input="#include <stdlib.h>\nvoid Lose(void) { void* volatile b = malloc(33); (void)b; }\n")
        self.compile()
        load = f"import ctypes; ctypes.CDLL('{library}').Lose()"
        script = f"./tidy; /usr/bin/python3 -c \"{load}\"; /usr/bin/python3 -c pass"
        seen, report, _ = self.run_it(["sh", "-c", script])
        self.assertEqual(seen.status, 23, seen)
        interpreters = [child for child in report["children"] if "/python3" in child["process"]["exe"]]
        self.assertEqual([child["verdict"]["judged"] for child in interpreters], [True, False])
        self.assertIn(33, [leak["bytes"] for leak in report["summary"]["leaks"]])


if __name__ == "__main__":
    ProcessesTest.build = Build(sys.argv.pop(1))
    unittest.main()
