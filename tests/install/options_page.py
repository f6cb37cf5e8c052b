#!/usr/bin/env python3
"""options_page.py COMMAND PAGE: the page's table of options says what `COMMAND help options` says."""

import re
import subprocess
import sys

command, page = sys.argv[1:]
text = subprocess.run([command, "help", "options"], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                      check=True).stdout
helped = {}
for option, words in re.findall(r"^  (\w+=\S+)\n {8}(.+)$", text, re.MULTILINE):
    match = re.fullmatch(r"(.*?)(?: \(default (.*)\))?", words)
    helped[option] = (match[2] or "", match[1])
written = {}
with open(page) as lines:
    for line in lines:
        match = re.fullmatch(r"\| `(\w+=[^`]+)` \|(?: `([^`]*)`)? \| (.*) \|\n", line)
        if match:
            written[match[1].replace("\\|", "|")] = (match[2] or "", match[3])
assert helped, f"no option found in: {text}"
for option in sorted(helped.keys() | written.keys()):
    if helped.get(option) != written.get(option):
        sys.exit(f"{option}\n  help:   {helped.get(option)}\n  page:   {written.get(option)}")
print(f"{len(helped)} options")
