"""docs/performance.md: the tables between its markers, and the plots in docs/images."""

import glob
import json
import os
import re
import subprocess
import sys

from harness import table
from harness.contest import say

# What belongs to a group's table, and the words for those who cannot see it.
PLOTS = {
    "files": [("files.svg", "the file of 2 GiB, as bars"), ("small-files.svg", "the folder of small files, as bars")],
    "registry": [("registry-connections.svg", "the registry from 1,000 to 15,000 connections"),
                 ("registry-accounts.svg", "the registry from a thousand accounts to a million")],
}


def write(root, results):
    document = os.path.join(root, "docs/performance.md")
    with open(document) as file:
        text = file.read()
    found = {}
    for path in sorted(glob.glob(os.path.join(results, "*.json"))):
        with open(path) as file:
            group = json.load(file)
        found[group["group"]] = group
    images = os.path.join(root, "docs/images")
    plot(root, images, found)
    for name, group in found.items():
        text = between(text, name, rendered(group, images))
    with open(document, "w") as file:
        file.write(text)


def rendered(group, images):
    rounds = "one round" if group["rounds"] == 1 else f"medians of {group['rounds']} rounds"
    head = f"{group['when']}, {group['machine']}; {rounds}; load before the run {group['load']:.1f}."
    shown = "".join(f"\n\n![{words}](images/{name})" for name, words in PLOTS.get(group["group"], [])
                    if os.path.exists(os.path.join(images, name)))
    return head + "\n\n" + table.markdown(group["rows"]) + shown


def between(text, name, content):
    """The text with what stands between a group's markers replaced."""
    start, end = f"<!-- bench: {name} -->", f"<!-- end: {name} -->"
    pattern = re.compile(re.escape(start) + ".*?" + re.escape(end), re.DOTALL)
    if not pattern.search(text):
        say(f"docs/performance.md has no place for {name}")
        return text
    return pattern.sub(lambda _: f"{start}\n{content}\n{end}", text)


def plot(root, images, groups):
    """In the bench's own environment: the plots need what Debian's Python may not have."""
    python = os.path.join(root, ".venv-bench/bin/python3")
    if not os.path.exists(python):
        say("no plots: .venv-bench is missing")
        return
    drawing = os.path.join(root, "Benchmarks/harness/plots.py")
    os.makedirs(images, exist_ok=True)
    subprocess.run([python, drawing, images], input=json.dumps(groups), text=True, check=True, stdout=sys.stderr)
