"""The files of the source tree that the structure checks look at."""

import os
import pathlib
import subprocess

LAYERS = ("spy", "allocator", "googletest", "tools", "tests")
CODE = (".h", ".cc", ".c")


def files(root):
    """The paths below `root`, relative to it: those that git tracks or would track, or all if there is no repository."""
    root = pathlib.Path(root)
    listing = subprocess.run(["git", "-C", str(root), "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
                             capture_output=True, check=False)
    top = subprocess.run(["git", "-C", str(root), "rev-parse", "--show-toplevel"], capture_output=True, text=True, check=False)
    if listing.returncode == 0 and pathlib.Path(top.stdout.strip() or "/").samefile(root):
        found = [pathlib.Path(name) for name in listing.stdout.decode().split("\0") if name]
    else:
        found = []
        for folder, folders, names in os.walk(root):
            folders[:] = [name for name in folders if name not in ("build", ".git", "__pycache__")]
            found += [pathlib.Path(folder, name).relative_to(root) for name in names]
    return sorted(path for path in set(found) if (root / path).is_file())


def code_files(root):
    """The C and C++ files of the layers."""
    return [path for path in files(root) if path.suffix in CODE and path.parts[0] in LAYERS]


def finish(violations, what):
    """Prints the violations and gives the exit status of a check."""
    found = list(violations)
    for violation in found:
        print(violation)
    print(f"{what}: {len(found)} violation(s)")
    return 1 if found else 0
