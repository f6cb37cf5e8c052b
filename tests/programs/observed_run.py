"""Runs a program with and without mallocspy and holds what was seen."""

import json
import os
import pathlib
import signal
import subprocess
import tempfile

TIMEOUT_SECONDS = 120

# Each test starts from a known environment.
DROPPED = ("LD_PRELOAD", "MALLOCSPY_OPTIONS", "MALLOCSPY_TOOL", "MALLOCSPY_RUN", "MALLOCSPY_SPIES", "DEBUGINFOD_URLS")


class Build:
    """Where things are in a build tree."""

    def __init__(self, folder):
        folder = pathlib.Path(folder).resolve()
        self.command = str(folder / "bin/mallocspy")
        self.library = str(folder / "lib/libmallocspy.so")
        self.programs = folder / "tests/programs/bin"


# Options of the library for all programs that are tested, beside what a test sets itself: `check_capture=1`.
OPTIONS = os.environ.get("MALLOCSPY_TEST_OPTIONS", "")


def environment(**changes):
    variables = {name: value for name, value in os.environ.items() if name not in DROPPED}
    variables.update(changes)
    if OPTIONS:
        variables["MALLOCSPY_OPTIONS"] = ":".join(filter(None, (OPTIONS, variables.get("MALLOCSPY_OPTIONS"))))
    return variables


class Observed:
    """Output and end of a process; `status` as subprocess gives it, minus the signal's number if killed."""

    def __init__(self, arguments, env=None, **options):
        self.arguments = [str(argument) for argument in arguments]
        # A session of its own, so that one that hangs can be ended with all its children.
        with subprocess.Popen(self.arguments, env=env or environment(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, start_new_session=True, **options) as run:
            try:
                self.stdout, self.stderr = run.communicate(timeout=TIMEOUT_SECONDS)
            except subprocess.TimeoutExpired:
                os.killpg(run.pid, signal.SIGKILL)
                raise
        self.pid, self.status = run.pid, run.returncode

    @property
    def seen(self):
        """What must not change under mallocspy."""
        return self.stdout, self.stderr, self.status

    def __str__(self):
        return f"{' '.join(self.arguments)}\nstatus {self.status}\nstdout: {self.stdout[-2000:]!r}\nstderr: {self.stderr[-2000:]!r}"


def checked_run(build, options, program, env=None, **popen_options):
    """`mallocspy run` with a JSON report: what was observed, and the report or None."""
    with tempfile.TemporaryDirectory(prefix="programs.") as folder:
        report = pathlib.Path(folder, "report.json")
        seen = Observed([build.command, "run", "--format=json", f"--output={report}", *options, "--", *program], env,
                        **popen_options)
        text = report.read_text(encoding="utf-8") if report.exists() else ""
    return seen, json.loads(text) if text else None


def signal_number(name):
    return getattr(signal, name).value


def every_report(report):
    """The report of the first process and those of the others."""
    return [report, *report["children"]]


def accounting_faults(report):
    """Sentences about totals that do not add up, for each process of the report."""
    for process in every_report(report):
        name = f"pid {process['process']['pid']} ({process['process']['exe']})"
        totals = process["totals"]
        live = totals["allocations"] - totals["frees"]
        if live != totals["live_blocks"]:
            yield f"{name}: {totals['allocations']} allocations - {totals['frees']} frees = {live} != {totals['live_blocks']} live blocks"
        for word in ("blocks", "bytes"):
            listed = sum(leak[word] for leak in process["leaks"])
            if listed != totals["live_" + word]:
                yield f"{name}: leaks[] has {listed} {word}, live_{word} is {totals['live_' + word]}"
        if totals["peak_bytes"] < totals["live_bytes"]:
            yield f"{name}: peak_bytes {totals['peak_bytes']} < live_bytes {totals['live_bytes']}"
