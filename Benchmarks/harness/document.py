"""docs/performance.md: the tables between its markers, and the plots in docs/images."""

import glob
import json
import os
import re
import subprocess
import sys

from harness import table
from harness.contest import say


def write(root, results):
    document = os.path.join(root, "docs/performance.md")
    with open(document) as file:
        text = file.read()
    found = {}
    for path in sorted(glob.glob(os.path.join(results, "*.json"))):
        with open(path) as file:
            group = json.load(file)
        found[group["group"]] = group
        text = between(text, group["group"], rendered(group))
    with open(document, "w") as file:
        file.write(text)
    plot(root, found)


def rendered(group):
    rounds = "one round" if group["rounds"] == 1 else f"medians of {group['rounds']} rounds"
    head = f"{group['when']}, {group['machine']}; {rounds}; load before the run {group['load']:.1f}."
    return head + "\n\n" + table.markdown(group["rows"])


def between(text, name, content):
    """The text with what stands between a group's markers replaced."""
    start, end = f"<!-- bench: {name} -->", f"<!-- end: {name} -->"
    pattern = re.compile(re.escape(start) + ".*?" + re.escape(end), re.DOTALL)
    if not pattern.search(text):
        say(f"docs/performance.md has no place for {name}")
        return text
    return pattern.sub(lambda _: f"{start}\n{content}\n{end}", text)


def plot(root, groups):
    """In the bench's own environment: the plots need what Debian's Python may not have."""
    python = os.path.join(root, ".venv-bench/bin/python3")
    if not os.path.exists(python):
        say("no plots: .venv-bench is missing")
        return
    drawing = os.path.join(root, "Benchmarks/harness/plots.py")
    images = os.path.join(root, "docs/images")
    os.makedirs(images, exist_ok=True)
    subprocess.run([python, drawing, images], input=json.dumps(groups), text=True, check=True, stdout=sys.stderr)
