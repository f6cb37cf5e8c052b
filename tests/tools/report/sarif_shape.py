"""The part of SARIF 2.1.0 that our reports use, as the standard demands it; what is not listed here must not appear.

A property with "!" is required. A shape is a Python type, a predicate, the name of an object, or [shape] for an array.
"""

import re

LEVELS = ("none", "note", "warning", "error")
BASELINE_STATES = ("new", "unchanged", "updated", "absent")
URI = re.compile(r"(?:file:///)?(?:[A-Za-z0-9._~/:-]|%[0-9A-F]{2})*")


def positive(value):
    return isinstance(value, int) and value > 0


def index(value):
    return isinstance(value, int) and value >= 0


def level(value):
    return value in LEVELS


def uri(value):
    return isinstance(value, str) and URI.fullmatch(value) is not None


def message_text(value):
    """A message without placeholders and embedded links."""
    return isinstance(value, str) and value and "](" not in value and not re.search(r"[{}]", re.sub(r"\{\{|\}\}", "", value))


OBJECTS = {
    "log": {"$schema": str, "version!": lambda value: value == "2.1.0", "runs!": ["run"]},
    "run": {"tool!": "tool", "invocations": ["invocation"], "originalUriBaseIds": "bases", "results": ["result"],
            "columnKind": lambda value: value == "utf16CodeUnits"},
    "tool": {"driver!": "driver"},
    "driver": {"name!": str, "version": str, "rules": ["rule"]},
    "rule": {"id!": str, "shortDescription": "message", "defaultConfiguration": "configuration"},
    "configuration": {"level": level},
    "message": {"text!": message_text},
    "invocation": {"executionSuccessful!": bool, "processId": int, "executableLocation": "artifact", "commandLine": str,
                   "arguments": [str], "exitCode": int, "exitSignalNumber": int, "exitSignalName": str,
                   "exitCodeDescription": str, "toolExecutionNotifications": ["notification"]},
    "notification": {"message!": "message", "level": level},
    "bases": {"%SRCROOT%": "base"},
    "base": {"uri!": lambda value: uri(value) and value.endswith("/")},
    "result": {"message!": "message", "ruleId": str, "ruleIndex": index, "level": level, "occurrenceCount": positive,
               "partialFingerprints": "fingerprints", "provenance": "provenance", "locations": ["location"],
               "relatedLocations": ["location"], "stacks": ["stack"], "properties": "leak_properties",
               "suppressions": ["suppression"], "baselineState": lambda value: value in BASELINE_STATES},
    "suppression": {"kind!": lambda value: value in ("inSource", "external"), "justification": str},
    "fingerprints": {"mallocspyId/v1!": str},
    "provenance": {"invocationIndex": index},
    "location": {"physicalLocation": "physical", "logicalLocations": ["logical"], "message": "message"},
    "physical": {"artifactLocation": "artifact", "region": "region", "address": "address"},
    "artifact": {"uri": uri, "uriBaseId": lambda value: value == "%SRCROOT%"},
    "region": {"startLine": positive, "startColumn": positive},
    "address": {"absoluteAddress": index},
    "logical": {"fullyQualifiedName": str, "kind": str},
    "stack": {"frames!": ["frame"], "message": "message"},
    "frame": {"location": "location", "module": str},
    "leak_properties": {"blocks": index, "bytes": index, "processes": index},
}


def faults(value, shape="log", path="log"):
    """Sentences on what in `value` is not as the standard demands."""
    if isinstance(shape, list):
        if not isinstance(value, list):
            yield f"{path} is no array"
            return
        for number, element in enumerate(value):
            yield from faults(element, shape[0], f"{path}[{number}]")
    elif isinstance(shape, str):
        if not isinstance(value, dict):
            yield f"{path} is no object"
            return
        properties = {name.rstrip("!"): inner for name, inner in OBJECTS[shape].items()}
        for name in OBJECTS[shape]:
            if name.endswith("!") and name[:-1] not in value:
                yield f"{path} has no {name[:-1]}"
        for name, inner in value.items():
            if name in properties:
                yield from faults(inner, properties[name], f"{path}.{name}")
            else:
                yield f"{path} has {name}, which is not known"
        if shape == "physical" and not ("artifactLocation" in value or "address" in value):
            yield f"{path} has neither artifactLocation nor address"
    elif isinstance(shape, type):
        if not isinstance(value, shape) or (shape is int and isinstance(value, bool)):
            yield f"{path} is no {shape.__name__}: {value!r}"
    elif not shape(value):
        yield f"{path} must not be {value!r}"
