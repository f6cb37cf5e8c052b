"""The rules of JUnit XML: what both Jenkins' schema and the stricter one of Ant's reports accept."""

import re

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d")
NUMBER = re.compile(r"\d+")
DECIMAL = re.compile(r"\d+(\.\d+)?")
ANY = re.compile(r"(?s).*")
SOME = re.compile(r"(?s).+")

# element: (required attributes and their form, children in their order, one of which may stand how often)
ELEMENTS = {
    "testsuites": ({}, [("testsuite", "*")]),
    "testsuite": ({"id": NUMBER, "package": SOME, "name": SOME, "timestamp": TIME, "hostname": SOME, "tests": NUMBER,
                   "failures": NUMBER, "errors": NUMBER, "time": DECIMAL},
                  [("properties", "1"), ("testcase", "*"), ("system-out", "1"), ("system-err", "1")]),
    "properties": ({}, [("property", "*")]),
    "property": ({"name": SOME, "value": ANY}, []),
    "testcase": ({"name": SOME, "classname": SOME, "time": DECIMAL}, [("error", "?"), ("failure", "?")]),
    "error": ({"type": SOME, "message": SOME}, []),
    "failure": ({"type": SOME, "message": SOME}, []),
    "system-out": ({}, []),
    "system-err": ({}, []),
}
WITH_TEXT = ("error", "failure", "system-out", "system-err")


def faults(element):
    """Sentences on what in `element` breaks the rules."""
    attributes, children = ELEMENTS[element.tag]
    for name, form in attributes.items():
        if not form.fullmatch(element.get(name, "\0" if form is ANY else "")):
            yield f"{element.tag}: {name} is {element.get(name)!r}"
    for name in set(element.keys()) - set(attributes):
        yield f"{element.tag} has the attribute {name}"
    found = [child.tag for child in element]
    pattern = "".join(f"(?:{tag} )" + {"1": "", "*": "*", "?": "?"}[often] for tag, often in children)
    if not re.fullmatch(pattern, "".join(tag + " " for tag in found)):
        yield f"{element.tag} has the children {found}"
    if element.tag not in WITH_TEXT and (element.text or "").strip():
        yield f"{element.tag} has the text {element.text!r}"
    for child in element:
        if child.tag in ELEMENTS:
            yield from faults(child)
    if element.tag == "testsuite":
        cases = element.findall("testcase")
        counted = {"tests": len(cases), "failures": len(element.findall("testcase/failure")),
                   "errors": len(element.findall("testcase/error"))}
        for name, number in counted.items():
            if element.get(name) != str(number):
                yield f"testsuite: {name} is {element.get(name)}, but there are {number}"
        names = [(case.get("classname"), case.get("name")) for case in cases]
        if len(set(names)) != len(names):
            yield f"testsuite: a name stands twice in {names}"
