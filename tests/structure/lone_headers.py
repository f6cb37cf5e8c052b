"""Fails on a header that does not compile alone.

    lone_headers.py ROOT COMPILER

A header whose own .cc includes it first is proven by the build and not compiled again.
"""

import concurrent.futures
import os
import pathlib
import subprocess
import sys

import include_edges
import source_tree

FLAGS = ["-std=c++20", "-fsyntax-only", "-Wall", "-Wextra", "-Werror", "-x", "c++", "-"]


def proven_by_build(root, header):
    """Whether the .cc beside `header` begins with it, and is named in the CMakeLists.txt of its folder or one above."""
    source = header.with_suffix(".cc")
    if not (root / source).is_file():
        return False
    first = next(include_edges.included((root / source).read_text(encoding="utf-8")), None)
    if first is None or first[1:] != (True, header.as_posix()):
        return False
    for folder in source.parents:
        lists = root / folder / "CMakeLists.txt"
        if lists.is_file() and source.relative_to(folder).as_posix() in lists.read_text(encoding="utf-8").replace(")", " ").split():
            return True
    return False


def compile_alone(root, compiler, header):
    """The compiler's first complaint about `header`, or None."""
    run = subprocess.run([compiler, f"-I{root}", *FLAGS], input=f'#include "{header.as_posix()}"\n', text=True,
                         capture_output=True, check=False)
    if run.returncode == 0:
        return None
    errors = [line for line in run.stderr.splitlines() if "error" in line]
    return f"{header}: does not compile alone: {(errors or run.stderr.splitlines() or ['no message'])[0]}"


def violations(root, compiler):
    root = pathlib.Path(root)
    headers = [path for path in source_tree.code_files(root)
               if path.suffix == ".h" and not proven_by_build(root, path)]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        yield from filter(None, pool.map(lambda header: compile_alone(root, compiler, header), headers))


if __name__ == "__main__":
    sys.exit(source_tree.finish(violations(sys.argv[1], sys.argv[2]), "headers"))
