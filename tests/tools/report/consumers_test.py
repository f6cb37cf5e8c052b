"""Reads sample reports as those do for whom they are made: JUnit's schemas, SARIF's, GitHub's runner, a Markdown renderer.

    consumers_test.py WRITE_SAMPLES [TEST...]
"""

import copy
import html.parser
import json
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest
import xml.etree.ElementTree

import junit_rules
import sarif_shape


# What our reports in Markdown are made of.
MARKDOWN_TAGS = {"h2", "h3", "p", "code", "table", "thead", "tbody", "tr", "th", "td", "strong", "details", "summary", "pre", "ul", "li"}


class Html(html.parser.HTMLParser):
    """The tags, attributes and text of a page."""

    VOID = ("br", "hr", "img", "input")

    def __init__(self, page):
        super().__init__()
        self.tags, self.attributes, self.texts, self.open, self.faults = set(), set(), [], [], []
        self.rows = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes.update(attrs)
        if tag not in self.VOID:
            self.open.append(tag)
        if tag == "tr":
            self.rows.append(0)
        if tag in ("td", "th"):
            self.rows[-1] += 1

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.faults.append(f"</{tag}> closes nothing")

    def handle_comment(self, data):
        self.faults.append(f"a comment: {data}")

    def handle_decl(self, decl):
        self.faults.append(f"a declaration: {decl}")

    def handle_pi(self, data):
        self.faults.append(f"an instruction: {data}")

    def handle_data(self, data):
        self.texts.append(data)


def github_command(line):
    """Name, properties and message of a workflow command, as GitHub's runner takes it apart."""
    match = re.fullmatch(r"::([a-z]+) ([^\n\r]*?)::([^\n\r]*)", line)
    assert match, line
    properties = {}
    for item in match[2].split(","):
        name, value = item.split("=", 1)
        for code, char in (("%0D", "\r"), ("%0A", "\n"), ("%3A", ":"), ("%2C", ","), ("%25", "%")):
            value = value.replace(code, char)
        properties[name] = value
    message = match[3]
    for code, char in (("%0D", "\r"), ("%0A", "\n"), ("%25", "%")):
        message = message.replace(code, char)
    return match[1], properties, message


class ConsumersTest(unittest.TestCase):
    program = None

    @classmethod
    def setUpClass(cls):
        cls.scratch = tempfile.TemporaryDirectory(prefix="consumers.")
        cls.folder = pathlib.Path(cls.scratch.name)
        subprocess.run([cls.program, cls.folder], check=True)
        cls.names = (cls.folder / "names.txt").read_text(encoding="utf-8").split("\n")[:-1]

    @classmethod
    def tearDownClass(cls):
        cls.scratch.cleanup()

    def samples(self, ending):
        """Each sample of a format: its name, its text, and the hostile name in it."""
        paths = sorted(self.folder.glob("*" + ending))
        self.assertEqual(len(paths), 7 + len(self.names))
        for path in paths:
            number = re.fullmatch(r"hostile(\d+)", path.stem)
            yield path.stem, path.read_bytes().decode("utf-8"), self.names[int(number[1])] if number else ""

    def suite(self, name):
        return xml.etree.ElementTree.parse(self.folder / f"{name}.xml").getroot().find("testsuite")

    def test_junit_keeps_the_rules(self):
        for sample, text, name in self.samples(".xml"):
            root = xml.etree.ElementTree.fromstring(text)
            self.assertEqual(list(junit_rules.faults(root)), [], sample)
            everything = "".join(root.itertext()).replace("\\u{fffe}", "\ufffe").replace("\\u{ffff}", "\uffff")
            self.assertIn(name, everything, sample)

    def test_junit_outcomes(self):
        for name, outcomes in (("clean", (1, 0, 0)), ("leaks", (3, 3, 0)), ("errors", (2, 2, 0)), ("incomplete", (1, 0, 1)),
                               ("every_class", (5, 4, 0))):
            suite = self.suite(name)
            self.assertEqual(tuple(int(suite.get(word)) for word in ("tests", "failures", "errors")), outcomes, name)
        root = xml.etree.ElementTree.parse(self.folder / "family.xml").getroot()
        self.assertEqual([suite.get("id") for suite in root], ["0"], "all are of one program")
        failure = self.suite("leaks").find("testcase/failure")
        self.assertIn("#0 0x555555555010 in inner() /src/a.cc:3\n", failure.text)

    def test_junit_rules_can_fail(self):
        good = self.suite("leaks")
        self.assertEqual(list(junit_rules.faults(good)), [])
        for spoil in (lambda suite: suite.set("tests", "7"), lambda suite: suite.attrib.pop("hostname"),
                      lambda suite: suite.set("timestamp", "today"), lambda suite: suite.remove(suite.find("system-err")),
                      lambda suite: suite.insert(0, suite.find("testcase")),
                      lambda suite: suite.find("testcase").attrib.pop("classname"),
                      lambda suite: suite.find("testcase").set("color", "red")):
            bad = copy.deepcopy(good)
            spoil(bad)
            self.assertNotEqual(list(junit_rules.faults(bad)), [])

    def test_sarif_has_the_standards_shape(self):
        for sample, text, name in self.samples(".sarif"):
            log = json.loads(text)
            self.assertEqual(list(sarif_shape.faults(log)), [], sample)
            run, = log["runs"]
            rules = run["tool"]["driver"]["rules"]
            self.assertEqual(len({rule["id"] for rule in rules}), len(rules))
            for result in run["results"]:
                self.assertEqual(rules[result["ruleIndex"]]["id"], result["ruleId"])
                self.assertLess(result["provenance"]["invocationIndex"], len(run["invocations"]))
                self.assertEqual(len(result["locations"]), 1)
            # Names of functions are data here and stand as they are; those with a backslash were listed escaped.
            if name and "\\" not in name:
                functions = {frame["location"]["logicalLocations"][0]["fullyQualifiedName"] for result in run["results"]
                             for stack in result["stacks"] for frame in stack["frames"]}
                self.assertEqual(functions, {name})

    def test_sarif_of_samples(self):
        def run(name):
            return json.loads((self.folder / f"{name}.sarif").read_text(encoding="utf-8"))["runs"][0]

        clean = run("clean")
        self.assertEqual((clean["results"], clean["invocations"][0]["exitCode"]), ([], 0))
        self.assertTrue(clean["invocations"][0]["executionSuccessful"])
        broken = run("incomplete")["invocations"][0]
        self.assertFalse(broken["executionSuccessful"])
        self.assertEqual((broken["exitSignalName"], broken["exitSignalNumber"]), ("SIGKILL", 9))
        self.assertEqual(broken["toolExecutionNotifications"],
                         [{"level": "error", "message": {"text": "a child left no record"}}])
        leak = run("leaks")["results"][0]
        self.assertEqual(leak["partialFingerprints"], {"mallocspyId/v1": "00000000000000aa"})
        self.assertEqual(leak["locations"][0]["physicalLocation"],
                         {"artifactLocation": {"uri": "a.cc", "uriBaseId": "%SRCROOT%"}, "region": {"startLine": 3}})
        twice = run("errors")["results"][1]
        self.assertEqual([stack["message"]["text"] for stack in twice["stacks"]], ["freed again here:", "freed first here:"])
        self.assertEqual(twice["relatedLocations"][0]["physicalLocation"]["region"], {"startLine": 11})
        self.assertEqual([result["level"] for result in run("every_class")["results"]],
                         ["error", "error", "warning", "error", "note"])
        self.assertEqual(len(run("family")["invocations"]), 5)

    def test_sarif_shape_can_fail(self):
        good = json.loads((self.folder / "errors.sarif").read_text(encoding="utf-8"))

        def result(log):
            return log["runs"][0]["results"][0]

        for spoil in (lambda log: log.pop("version"), lambda log: log["runs"][0].pop("tool"),
                      lambda log: result(log).pop("message"), lambda log: result(log).update(ruleIndex=-1),
                      lambda log: result(log).update(level="bad"), lambda log: result(log).update(colour="red"),
                      lambda log: result(log)["message"].update(text="a {0}"),
                      lambda log: result(log)["message"].update(text="a [link](1)"),
                      lambda log: result(log)["locations"][0]["physicalLocation"].clear(),
                      lambda log: result(log)["locations"][0]["physicalLocation"]["artifactLocation"].update(uri="a b"),
                      lambda log: log["runs"][0]["invocations"][0].pop("executionSuccessful")):
            bad = copy.deepcopy(good)
            spoil(bad)
            self.assertNotEqual(list(sarif_shape.faults(bad)), [])

    def test_github_runner_understands_every_line(self):
        for sample, text, name in self.samples(".github"):
            lines = text.split("\n")
            self.assertEqual(lines.pop(), "")
            commands = [github_command(line) for line in lines]
            self.assertLessEqual(len(commands), 11)
            for command, properties, message in commands:
                self.assertIn(command, ("error", "warning", "notice"))
                self.assertLessEqual(set(properties), {"file", "line", "col", "title"})
                self.assertTrue(message)
            self.assertIn(name, "".join(message for _, _, message in commands), sample)

    @staticmethod
    def rendered(markdown):
        return Html(subprocess.run(["cmark-gfm", "--unsafe", "-e", "table", "-e", "autolink", "-e", "strikethrough"],
                                   input=markdown.encode(), stdout=subprocess.PIPE, check=True).stdout.decode())

    def test_markdown_renders_names_as_text(self):
        for sample, text, name in self.samples(".md"):
            page = self.rendered(text)
            self.assertLessEqual(page.tags, MARKDOWN_TAGS, sample)
            self.assertLessEqual(page.attributes, {("align", "right")}, sample)
            self.assertEqual((page.faults, page.open), ([], []), sample)
            self.assertLessEqual(set(page.rows), {4, 5} if sample == "family" else {3, 4}, sample)
            everything = "".join(page.texts).replace("\\u{fffe}", "\ufffe").replace("\\u{ffff}", "\uffff")
            # In the answer, the two tables, the summaries and the stacks.
            if name:
                self.assertGreaterEqual(everything.count(name), 10, everything)


    def test_markdown_check_sees_markup(self):
        """Each hostile name that is markup at all is seen as such where it stands bare."""
        marked = 0
        for name in self.names:
            page = self.rendered(f"a\n\n{name}\n")
            marked += bool(page.tags - MARKDOWN_TAGS or page.attributes or page.faults or page.open)
        self.assertGreaterEqual(marked, 6)


if __name__ == "__main__":
    ConsumersTest.program = sys.argv.pop(1)
    unittest.main()
