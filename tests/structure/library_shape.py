"""Fails on a libmallocspy.so that exports, needs or relocates what it should not.

    library_shape.py LIBRARY EXPORTS_MAP
"""

import re
import subprocess
import sys

import source_tree

ALLOWED_NEEDED = re.compile(r"^(libc\.so\.\d+|libunwind(-\w+)?\.so\.\d+|ld-linux[\w-]*\.so\.\d+|ld64\.so\.\d+)$")
# Relocations of the general and local dynamic models: each such access may call __tls_get_addr, which may call malloc.
DYNAMIC_TLS = ("DTPMOD", "DTPREL", "DTPOFF", "TLSDESC")


def output(*command):
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def listed(exports_map):
    """The global names of an anonymous version script."""
    with open(exports_map, encoding="utf-8") as file:
        text = re.sub(r"/\*.*?\*/", "", file.read(), flags=re.S)
    body = re.search(r"global:(.*?)local:", text, flags=re.S).group(1)
    return {name.strip() for name in body.split(";") if name.strip()}


def exported(library):
    lines = output("nm", "-D", "--defined-only", library).splitlines()
    return {line.split()[-1].split("@")[0] for line in lines}


def violations(library, exports_map):
    have, want = exported(library), listed(exports_map)
    for name in sorted(have - want):
        yield f"{library}: exports {name}, which is not in {exports_map}"
    for name in sorted(want - have):
        yield f"{library}: does not export {name}, which is in {exports_map}"
    for line in output("readelf", "-rW", library).splitlines():
        if any(kind in line for kind in DYNAMIC_TLS):
            yield f"{library}: thread-local storage of a dynamic model: {' '.join(line.split())}"
    dynamic = output("readelf", "-dW", library)
    for name in re.findall(r"\(NEEDED\).*\[(.*)\]", dynamic):
        if not ALLOWED_NEEDED.match(name):
            yield f"{library}: needs {name}"
    flags = re.search(r"\(FLAGS_1\)(.*)", dynamic)
    if not flags or "NODELETE" not in flags.group(1):
        yield f"{library}: is not linked with -z nodelete: dlclose would unmap code that is in use"


if __name__ == "__main__":
    sys.exit(source_tree.finish(violations(sys.argv[1], sys.argv[2]), "library"))
