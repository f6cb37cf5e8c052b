"""Runs the small programs of this folder and holds their reports against the markers in their sources.

    run_programs.py BUILD_FOLDER [PROGRAM...]

Without programs, all; a folder's name stands for its programs. ctest runs each by itself. MALLOCSPY_REPEATS says how often each is run at
the least, and its report checked (default 1).
"""

import collections
import os
import pathlib
import sys
import unittest

from expectations import Expectations, Site
from observed_run import Build, Observed, accounting_faults, checked_run, environment, every_report, signal_number

HERE = pathlib.Path(__file__).resolve().parent
REPEATS = int(os.environ.get("MALLOCSPY_REPEATS", "1"))
# Not run by this table: another test runs them.
ELSEWHERE = {"known_graph", "obeys", "secure_mode", "starts_filtered", "starts_program", "static_program", "waits_for_signal"}


def sources():
    found = [path for path in sorted(HERE.glob("*/*.c*")) if not path.stem.endswith("_library")]
    return {path.stem: path for path in found if path.stem not in ELSEWHERE}


# What `run --fail-on=any` ends with if the program itself ends well: the first that any process has.
STATUS_OF = (("errors", 24), ("leaks", 23), ("incomplete", 25), ("clean", 0))


class Report:
    """The parts of a report that lie in the program itself (not in the libraries that it uses)."""

    def __init__(self, build, report):
        self.folder = str(build.programs)
        self.report = report

    def _is_ours(self, frame):
        return (frame["module"] or "").startswith(self.folder + "/")

    def _site(self, frame):
        return Site(pathlib.Path(frame["file"] or "?").name, frame["line"])

    def leaks(self, processes):
        found = collections.defaultdict(lambda: (0, 0))
        for process in processes:
            for leak in process["leaks"]:
                if leak["frames"] and self._is_ours(leak["frames"][0]):
                    key = self._site(leak["frames"][0]), leak["door"]
                    blocks, size = found[key]
                    found[key] = (blocks + leak["blocks"], size + leak["bytes"])
        return dict(found)

    def classes(self):
        """Site -> {class: blocks}, and Site -> (kind, name) of what holds them."""
        classes, roots = collections.defaultdict(collections.Counter), {}
        for leak in self.report["leaks"]:
            if leak["frames"] and self._is_ours(leak["frames"][0]):
                site = self._site(leak["frames"][0])
                classes[site][leak["class"]] += leak["blocks"]
                if leak["root"]:
                    roots[site] = leak["root"]["kind"], leak["root"]["name"]
        return classes, roots

    def errors(self, processes):
        """Those met by a call: (site, kind) -> count."""
        found = collections.defaultdict(int)
        for process in processes:
            for error in process["errors"]:
                if error["where"]:
                    found[self._site(error["where"][0]), error["kind"]] += error["count"]
        return dict(found)

    def details(self):
        """(site, kind) -> what an `error:` marker can say of it."""
        found = {}
        for error in self.report["errors"]:
            if error["where"]:
                said = {"size": str(error["size"]), "value": str(error["value"]), "made": error["door"], "used": error["used_door"]}
                said.update((name, self._site(error[name][0])) for name in ("allocated", "freed") if error[name])
                found[self._site(error["where"][0]), error["kind"]] = said
        return found

    def stack_sites(self, name):
        """kind -> where the error's block was made (`allocated`) or `freed`."""
        return {error["kind"]: self._site(error[name][0]) for error in self.report["errors"] if error[name]}

    def error_values(self):
        """kind -> (size of the block, offset or what else the kind tells)."""
        return {error["kind"]: (error["size"], error["value"]) for error in self.report["errors"]}

    def program_frames(self):
        """The frames of the program, of each leak that happened in it."""
        for leak in self.report["leaks"]:
            frames = [frame for frame in leak["frames"] if self._is_ours(frame)]
            if frames and self._is_ours(leak["frames"][0]):
                yield [frame for frame in frames if frame["function"] != "_start"]


class ProgramsTest(unittest.TestCase):
    build = None
    quiet = False  # no word about the run that failed
    maxDiff = None

    def check(self, name, source):
        expected = Expectations(source)
        program = [self.build.programs / name]
        self.check_output_is_kept(expected, program)
        for _ in range(max([REPEATS, *map(int, expected.values["repeats"])])):
            self.check_run(expected, program)

    def check_run(self, expected, program):
        seen, report = checked_run(self.build, ["--fail-on=any", "--judge=all", *self.run_options(expected)], program,
                                   self.run_environment(expected))
        self.assertIsNotNone(report, f"no report\n{seen}")
        try:
            self.check_report(expected, report)
            self.check_status(expected, report, seen)
        except AssertionError:
            if not self.quiet:
                print(seen)
            raise

    def run_options(self, expected):
        return [option for text in expected.values["run options"] for option in text.split()]

    def run_environment(self, expected):
        options = ":".join(expected.values["library options"])
        return environment(MALLOCSPY_OPTIONS=options) if options else None

    def check_output_is_kept(self, expected, program):
        """Output and exit status are those without mallocspy; where errors change them there is nothing to compare."""
        if expected.has_errors:
            return
        seen, _ = checked_run(self.build, ["--fail-on=none", *self.run_options(expected)], program, self.run_environment(expected))
        for line in expected.values["prints"]:
            self.assertEqual(seen.seen, (line.encode() + b"\n", b"", expected.exit.get("code")))
        if "differs" not in expected.values["plain"]:
            self.assertEqual(seen.seen, Observed(program).seen)

    def check_report(self, expected, report):
        ours = Report(self.build, report)
        self.assertEqual(report["schema"], "mallocspy-report/1")
        own, child_leaks = ours.leaks([report]), ours.leaks(report["children"])
        if expected.values["also"]:
            own = {key: value for key, value in own.items() if key in expected.leaks}
        self.assertEqual(own, expected.leaks, "leaks")
        self.assertEqual(child_leaks, expected.child_leaks, "leaks of children")
        classes, roots = ours.classes()
        for site, wanted in expected.classes.items():
            self.assertEqual(dict(classes[site]), wanted, f"classes of {site}")
        for site, (kind, name) in expected.roots.items():
            self.assertEqual(roots[site][0], kind, f"what holds {site}")
            if name:
                self.assertEqual(roots[site][1], name, f"what holds {site}")
        self.assertEqual(ours.errors([report]), expected.errors, "errors")
        self.assertEqual(ours.errors(report["children"]), expected.child_errors, "errors of children")
        self.assertEqual({error["kind"] for error in report["errors"] if not error["where"]}, expected.at_exit)
        for key, wanted in expected.details.items():
            said = ours.details().get(key, {})
            for name, value in wanted.items():
                value = expected.labels[value] if name in ("allocated", "freed") else value.replace("_", " ")
                self.assertEqual(said.get(name), value, f"{name} of {key}")
        for kind, site in expected.allocated.items():
            self.assertEqual(ours.stack_sites("allocated").get(kind), site, f"where the block of the {kind} was made")
        for kind, site in expected.freed.items():
            self.assertEqual(ours.stack_sites("freed").get(kind), site, f"where the block of the {kind} was freed")
        for kind, values in expected.error_values.items():
            self.assertEqual(ours.error_values().get(kind), values, f"size and offset of the {kind}")
        for text in expected.values["frames"]:
            self.assertEqual([len(frames) for frames in ours.program_frames()], [int(text)])
        for text in expected.values["frame"]:
            number, _, function = text.partition(" ")
            self.assertEqual([frames[int(number)]["function"] for frames in ours.program_frames()], [function])
        for text in expected.values["foreign frees"]:
            self.assertEqual(report["totals"]["foreign_frees"], int(text))
        self.assertEqual([], list(accounting_faults(report)))

    def check_status(self, expected, report, seen):
        exit_wanted = dict(expected.exit)
        if "signal" in exit_wanted:
            exit_wanted = {"signal": signal_number(exit_wanted["signal"])}
        self.assertEqual(report["process"]["exit"], exit_wanted)
        degraded = " / ".join(report["process"]["degraded"])
        for text in expected.values["degraded"]:
            self.assertIn(text, degraded)
        if not expected.values["degraded"] and not expected.values["verdict"]:
            self.assertEqual(degraded, "")
            self.assertTrue(report["process"]["interposed"])
        found = set()
        for process in every_report(report):
            # --fail-on=any also means what is still reachable; the verdict does not.
            leaks = [leak for leak in process["leaks"] if not leak["suppressed_by"]]
            found.add("errors" if process["errors"] else "leaks" if leaks else "clean")
            lost = any(leak["class"] != "reachable" for leak in leaks)
            verdict = "errors" if process["errors"] else "leaks" if lost else "clean"
            for text in expected.values["verdict" if process is report else "child verdict"]:
                verdict = process["verdict"]["status"] if process["verdict"]["status"] in text.split(" or ") else text
                if process is report:
                    found.add(verdict)
            self.assertEqual(process["verdict"]["status"], verdict)
        own_status = exit_wanted.get("code", -exit_wanted.get("signal", 0))
        checked_status = next(status for verdict, status in STATUS_OF if verdict in found)
        self.assertEqual(seen.status, own_status or checked_status)


def add_tests(names):
    for name, source in sources().items():
        if not names or name in names or source.parent.name in names:
            setattr(ProgramsTest, f"test_{name}", lambda self, name=name, source=source: self.check(name, source))


if __name__ == "__main__":
    ProgramsTest.build = Build(sys.argv[1])
    add_tests(sys.argv[2:])
    unittest.main(argv=sys.argv[:1])
