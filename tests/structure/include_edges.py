"""Fails on an include that goes against the layers, or that brings into the target process what must not run there.

    include_edges.py ROOT
"""

import pathlib
import re
import sys

import source_tree

INCLUDE = re.compile(r'^\s*#\s*(?:include|import)\s*([<"])([^">]+)[">]')

# What spy/ and allocator/ may take from the C++ library: headers that neither allocate nor throw nor need its runtime.
INSIDE_ALLOWED = {
    "algorithm", "array", "atomic", "bit", "cassert", "cerrno", "cinttypes", "climits", "compare", "concepts", "cstdarg",
    "cstddef", "cstdint", "cstdlib", "cstring", "csignal", "ctime", "initializer_list", "iterator", "limits", "new", "numeric",
    "optional", "span", "string_view", "tuple", "type_traits", "utility", "version",
}
# C headers whose functions allocate or lock as they please.
INSIDE_FORBIDDEN_C = {"stdio.h", "iconv.h", "locale.h", "wchar.h", "regex.h", "glob.h"}


def runs_inside(path):
    """Whether the file runs within the target process and under its restrictions; built-in spies are ordinary code."""
    return path.parts[0] in ("spy", "allocator") and path.parts[:2] != ("spy", "spies")


def included(text):
    """(line, quoted, name) of each include."""
    for number, line in enumerate(text.splitlines(), 1):
        match = INCLUDE.match(line)
        if match:
            yield number, match.group(1) == '"', match.group(2)


def judge(root, path, quoted, name):
    """What is wrong with `path` including `name`, or None."""
    rank = source_tree.LAYERS.index(path.parts[0])
    target = pathlib.PurePosixPath(name).parts
    if quoted:
        if ".." in target:
            return f'"{name}" climbs; include it from the root of the tree'
        if target[0] in source_tree.LAYERS:
            if source_tree.LAYERS.index(target[0]) > rank:
                return f'"{name}" goes up: {path.parts[0]}/ must not know {target[0]}/'
            if path.parts[:2] == ("spy", "spies") and target != ("spy", "malloc_spy.h") and target[:2] != ("spy", "spies"):
                return f'"{name}": a built-in spy is written against spy/malloc_spy.h alone'
            # What protoc makes is there when its source is.
            source = name.removesuffix(".pb.h") + ".proto" if name.endswith(".pb.h") else name
            if not (root / source).is_file():
                return f'"{name}" does not exist'
        elif path.parts[0] == "tests" or name.endswith("malloc_spy.h"):
            pass  # programs under test are compiled without the tree's include directory
        elif not (target[0] == "absl" or (root / path.parent / name).is_file() and path.parts[:2] == ("spy", "com")):
            return f'"{name}" is not written from the root of the tree'
    elif target[0] in source_tree.LAYERS and (root / name).is_file():
        return f"<{name}> is a file of this tree; include it with quotes"
    if runs_inside(path) and not quoted:
        if ("." not in name and "/" not in name and name not in INSIDE_ALLOWED) or name in INSIDE_FORBIDDEN_C:
            return f"<{name}> must not run inside the target process (allowed are those in {pathlib.Path(__file__).name})"
    return None


def violations(root):
    root = pathlib.Path(root)
    for path in source_tree.code_files(root):
        text = (root / path).read_text(encoding="utf-8", errors="replace")
        for line, quoted, name in included(text):
            wrong = judge(root, path, quoted, name)
            if wrong:
                yield f"{path}:{line}: {wrong}"


if __name__ == "__main__":
    sys.exit(source_tree.finish(violations(sys.argv[1]), "includes"))
