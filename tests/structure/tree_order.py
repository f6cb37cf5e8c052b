"""Fails on file names that say nothing, on sources that are too long, and on paths of one machine in files.

    tree_order.py ROOT
"""

import os
import pathlib
import pwd
import re
import sys

import source_tree

EMPTY_WORDS = {"common", "util", "utils", "utility", "utilities", "misc", "helper", "helpers", "manager", "managers"}
MAX_LINES = 600
COUNTED = (".h", ".cc", ".c", ".py", ".sh", ".cmake")


def machine_paths(root):
    """A pattern for paths that exist on the machine of whoever wrote the file and on no other."""
    # Put together, so that this file passes its own check.
    prefixes = ["/" + name for name in ("work/", "root/", "tmp/build")]
    prefixes.append(pwd.getpwuid(os.getuid()).pw_dir.rstrip("/") + "/")
    checkout = str(pathlib.Path(root).resolve())
    if checkout.count("/") > 1:  # "/src" alone would match too much
        prefixes.append(checkout)
    # Not within a longer path, as in ${CMAKE_BINARY_DIR}/... or build/...
    return re.compile(r"(?<![\w.)}])(?:" + "|".join(re.escape(prefix) for prefix in prefixes if len(prefix) > 2) + ")")


def violations(root):
    root = pathlib.Path(root)
    pattern = machine_paths(root)
    for path in source_tree.files(root):
        for part in path.parts[:-1] + (path.name.split(".")[0],):
            if EMPTY_WORDS & set(re.split(r"[_\-]", part.lower())):
                yield f"{path}: '{part}' says nothing about what is in it"
        data = (root / path).read_bytes()
        if b"\0" in data:
            continue
        lines = data.decode("utf-8", errors="replace").splitlines()
        if len(lines) > MAX_LINES and path.suffix in COUNTED:
            yield f"{path}: {len(lines)} lines, more than {MAX_LINES}: which second noun is in it?"
        for number, line in enumerate(lines, 1):
            found = pattern.search(line)
            if found:
                yield f"{path}:{number}: a path of one machine: {found.group(0)}"


if __name__ == "__main__":
    sys.exit(source_tree.finish(violations(sys.argv[1]), "tree"))
