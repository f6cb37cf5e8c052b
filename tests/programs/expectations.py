"""What a program under test says, in comments of its own source, about what must be found in it.

At the line that allocates or frees (the line that the report must name):
    leak: BLOCKS blocks BYTES bytes DOOR          also child-leak: in a forked or replaced process
    leak: ... DOOR is CLASS [from ROOT [NAME]]    CLASS may be "N CLASS and N CLASS"
    error: KIND [count N] [size N] [value N] [made DOOR] [used DOOR] [allocated LABEL] [freed LABEL]
                                                  also child-error:; of what is given, each is checked
    at: LABEL                                     the line that the other errors' stacks must name first
    error-allocated: KIND                         where an error's block was made
    error-freed: KIND                             where it was freed
    error-values: KIND SIZE VALUE                 the block's size, and the offset or what else the kind tells (errors[].value)
    error-at-exit: KIND                           met at the end, not by a call
    exit: STATUS, signal: SIGNAME                 how the process ends; without either by status 0
Anywhere:
    verdict: STATUS         other than what leaks and errors make it
    child verdict: STATUS   the same of every other process; `A or B`: one of these
    degraded: TEXT          the report's degraded[] mentions it
    foreign frees: N
    frames: N               the leak's stack has N frames of the program
    frame: N FUNCTION       its N-th frame's function
    run options: OPTIONS    further options of `mallocspy run`
    library options: TEXT   MALLOCSPY_OPTIONS of the run
    library: NAME           a library whose source holds markers too
    plain: differs          without mallocspy the program prints something else
    prints: LINE            all that it prints with mallocspy
    also: WHY               there may be more leaks than those marked
    repeats: N              it is run N times, each like the others
"""

import collections
import pathlib
import re

MARKER = re.compile(r"//.*?\b((?:child-)?leak|(?:child-)?error|error-allocated|error-freed|error-values|error-at-exit|exit|signal|(?:child )?verdict|"
                    r"degraded|at|foreign frees|frames|frame|run options|library options|library|plain|prints|also|"
                    r"repeats): (.*?)\s*$")
LEAK = re.compile(r"^(\d+) blocks? (\d+) bytes (.+?)(?: is (.+?)(?: from (\S+)(?: (\S+))?)?)?$")

# Where a leak or error is: (file name, line). A leak's key has its door, too.
Site = collections.namedtuple("Site", "file line")


class Expectations:
    """The markers of one program and of the libraries it names."""

    def __init__(self, source):
        self.leaks = {}  # (Site, door) -> (blocks, bytes)
        self.classes = {}  # Site -> {class: blocks}
        self.roots = {}  # Site -> (kind, name or None)
        self.child_leaks = {}
        self.errors = {}  # (Site, kind) -> count
        self.details = {}  # (Site, kind) -> {"size": "27", "allocated": label, ...}
        self.labels = {}  # label -> Site
        self.child_errors = {}
        self.allocated = {}  # kind -> Site
        self.freed = {}  # kind -> Site
        self.error_values = {}  # kind -> (size, value)
        self.at_exit = set()  # kinds
        self.exit = {"code": 0}
        self.values = collections.defaultdict(list)  # other marker -> its texts
        self._read(pathlib.Path(source))

    def _read(self, source):
        for number, line in enumerate(source.read_text(encoding="utf-8").splitlines(), 1):
            match = MARKER.search(line)
            if match:
                self._take(source, Site(source.name, number), match.group(1), match.group(2))

    def _take(self, source, site, marker, text):
        if marker in ("leak", "child-leak"):
            blocks, size, door, classes, root, name = LEAK.match(text).groups()
            target = self.leaks if marker == "leak" else self.child_leaks
            target[site, door] = (int(blocks), int(size))
            if classes:
                parts = [part.split() for part in classes.split(" and ")]
                self.classes[site] = {part[-1]: int(part[0]) if len(part) == 2 else int(blocks) for part in parts}
            if root:
                self.roots[site] = root, name
        elif marker in ("error", "child-error"):
            kind, *words = text.split()
            details = dict(zip(words[::2], words[1::2]))
            target = self.errors if marker == "error" else self.child_errors
            target[site, kind] = int(details.pop("count", 1))
            self.details[site, kind] = details
        elif marker == "at":
            self.labels[text] = site
        elif marker == "error-allocated":
            self.allocated[text] = site
        elif marker == "error-freed":
            self.freed[text] = site
        elif marker == "error-values":
            kind, size, value = text.split()
            self.error_values[kind] = int(size), int(value)
        elif marker == "error-at-exit":
            self.at_exit.add(text)
        elif marker == "exit":
            self.exit = {"code": int(text)}
        elif marker == "signal":
            self.exit = {"signal": text}
        else:
            self.values[marker].append(text)
            if marker == "library":
                self._read(next(source.with_name(text + suffix) for suffix in (".c", ".cc") if source.with_name(text + suffix).exists()))

    @property
    def has_errors(self):
        return bool(self.errors or self.child_errors or self.at_exit)
