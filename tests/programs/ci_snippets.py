"""The snippets of docs/ci.md, as far as they can be tried without the machines that they are for: their YAML is read, their
commands run on a small project with one leak, and what they write is read as its readers would.

    ci_snippets.py BUILD_FOLDER [TEST...]
"""

import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
import xml.etree.ElementTree

import yaml

from observed_run import Build, Observed, environment
from run_processes import LEAKY, PROJECT, TIDY

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path.insert(0, str(ROOT / "tests/tools/report"))

import junit_rules  # pylint: disable=wrong-import-position
import sarif_shape  # pylint: disable=wrong-import-position


def snippet(heading, language):
    """The one code block in this language below a heading."""
    page = (ROOT / "docs/ci.md").read_text(encoding="utf-8")
    section = re.search(rf"^## {re.escape(heading)}\n(.*?)(?=^## |\Z)", page, re.MULTILINE | re.DOTALL)[1]
    blocks = re.findall(rf"^```{language}\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)
    assert len(blocks) == 1, (heading, language, len(blocks))
    return blocks[0]


class SnippetsTest(unittest.TestCase):
    build = None

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="ci_snippets."))
        self.addCleanup(shutil.rmtree, self.folder)
        for name, text in (("leaky.c", LEAKY), ("tidy.c", TIDY), ("CMakeLists.txt", PROJECT)):
            (self.folder / name).write_text(text, encoding="utf-8")

    def run_script(self, script, *shell, **variables):
        path = f"{pathlib.Path(self.build.command).parent}:{os.environ['PATH']}"
        return Observed([*(shell or ("bash", "-e", "-c")), script], environment(PATH=path, **variables), cwd=self.folder)

    def assert_syntax(self, script):
        checked = subprocess.run(["bash", "-n"], input=script, text=True, capture_output=True, check=False)
        self.assertEqual((checked.returncode, checked.stderr), (0, ""), script)

    def assert_junit(self, path, failures):
        """A file that keeps JUnit's rules, with failures of these programs only."""
        root = xml.etree.ElementTree.parse(self.folder / path).getroot()
        self.assertEqual(list(junit_rules.faults(root)), [])
        self.assertEqual([suite.get("name") for suite in root if int(suite.get("failures"))], failures)

    def test_first_lines(self):
        page = (ROOT / "docs/ci.md").read_text(encoding="utf-8")
        lines = re.search(r"^```sh\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)[1]
        for command in ("cmake -S . -B build", "cmake --build build"):
            self.assertEqual(self.run_script(command).status, 0)
        seen = self.run_script(lines)
        self.assertEqual(seen.status, 23, seen)
        self.assert_junit("leaks.xml", ["leaky"])

    def test_github_actions(self):
        workflow = yaml.safe_load(snippet("GitHub Actions", "yaml"))
        self.assertEqual(workflow[True], ["push", "pull_request"])  # "on" is a truth to YAML 1.1
        job = workflow["jobs"]["heap"]
        summary = self.folder / "summary"
        outcomes = {}
        for step in job["steps"]:
            if "run" not in step:
                self.assertRegex(step["uses"], r"^[\w-]+/[\w/-]+@v\d+$")
                continue
            self.assert_syntax(step["run"])
            if step["name"] != "Install mallocspy":
                outcomes[step["name"]] = self.run_script(step["run"], GITHUB_STEP_SUMMARY=str(summary), **job["env"])
        self.assertEqual({name: seen.status for name, seen in outcomes.items()}, {"Build": 0, "Test": 23}, outcomes["Test"])
        self.assertIn("\n::error file=leaky.c,line=3,", "\n" + outcomes["Test"].stderr.decode())
        self.assertTrue(summary.read_text(encoding="utf-8").startswith("## mallocspy: leaks\n"))
        uploads = [step["with"]["sarif_file"] for step in job["steps"] if "upload-sarif" in step.get("uses", "")]
        self.assertEqual(len(uploads), 1)
        log = json.loads((self.folder / uploads[0]).read_text(encoding="utf-8"))
        self.assertEqual(list(sarif_shape.faults(log)), [])
        self.assertIn("leak-definite", [result["ruleId"] for result in log["runs"][0]["results"]])

    def test_github_installation(self):
        """What the step that installs relies on: the verb, and where the command then is."""
        step = next(step for step in yaml.safe_load(snippet("GitHub Actions", "yaml"))["jobs"]["heap"]["steps"]
                    if step.get("name") == "Install mallocspy")
        for verb in re.findall(r"tools/dev\"? (\w+)", step["run"]):
            self.assertIn(f'"{verb}|', (ROOT / "tools/dev").read_text(encoding="utf-8"))
        self.assertIn("build/release/bin", step["run"])
        presets = json.loads((ROOT / "CMakePresets.json").read_text(encoding="utf-8"))["configurePresets"]
        folders = [preset.get("binaryDir") for preset in presets]
        self.assertTrue(any(folder and re.search(r"/build/(release|\$\{presetName\})$", folder) for folder in folders), folders)

    def test_gitlab(self):
        job = yaml.safe_load(snippet("GitLab CI", "yaml"))["heap"]
        self.assertEqual(sorted(job), ["artifacts", "before_script", "image", "script", "variables"])
        for line in job["before_script"] + job["script"]:
            self.assertIsInstance(line, str)
            self.assert_syntax(line)
        seen = self.run_script("\n".join(job["script"]))
        self.assertEqual(seen.status, 23, seen)
        self.assert_junit(job["artifacts"]["reports"]["junit"], ["leaky"])
        for path in job["artifacts"]["paths"]:
            self.assertEqual(json.loads((self.folder / path).read_text(encoding="utf-8"))["summary"]["status"], "leaks")

    def test_jenkins(self):
        pipeline = snippet("Jenkins", "groovy")
        self.assertEqual(pipeline.count("{"), pipeline.count("}"))
        scripts = re.findall(r"sh '''\n(.*?)'''", pipeline, re.DOTALL)
        self.assertEqual(len(scripts), 1)
        seen = self.run_script(scripts[0], "sh", "-xe", "-c")
        self.assertEqual(seen.status, 23, seen)
        self.assert_junit(re.search(r"junit '(.*)'", pipeline)[1], ["leaky"])
        self.assertTrue((self.folder / re.search(r"artifacts: '(.*)'", pipeline)[1]).is_file())

    def test_ctest(self):
        with open(self.folder / "CMakeLists.txt", "a", encoding="utf-8") as project:
            project.write(snippet("ctest", "cmake") + "add_heap_test(leaky 0)\nadd_heap_test(tidy)\n")
        self.assertEqual(self.run_script("cmake -S . -B build -DCMAKE_BUILD_TYPE=Debug && cmake --build build").status, 0)
        seen = self.run_script("ctest --test-dir build --output-on-failure -R heap")
        outcomes = re.findall(r"Test +#\d+: (\S+) \.+ *(Passed|\*\*\*Failed)", seen.stdout.decode())
        self.assertEqual(outcomes, [("heap.leaky", "***Failed"), ("heap.tidy", "Passed")], seen)
        self.assertIn("mallocspy: leaks: ", seen.stdout.decode())
        self.assert_junit("build/heap/leaky.xml", ["leaky"])
        self.assert_junit("build/heap/tidy.xml", [])


if __name__ == "__main__":
    SnippetsTest.build = Build(sys.argv.pop(1))
    unittest.main()
