"""Runs the measurements: see `scripts/bench`, which installs what they need and starts this."""

import argparse
import importlib
import json
import os
import platform
import signal
import subprocess
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
GROUPS = ["startup", "files", "resume", "messages", "durable", "connect", "registry", "primitives"]

from harness import document, table  # noqa: E402
from harness.contest import say  # noqa: E402
from harness.processes import Failed, Scope  # noqa: E402
from harness.secchat import build  # noqa: E402


class Bench:
    """What a group of measurements is given: a scope, the programs, and where to say what was not measured."""

    def __init__(self, scope, programs, environment, quick):
        self.scope = scope
        self.programs = programs
        self.environment = environment
        self.quick = quick
        self.notes = []
        self.failures = []
        self.series = {}

    def note(self, text):
        self.notes.append(text)
        say("   " + text)

    def attempt(self, peer, *arguments):
        """A peer, or None where it cannot be started here."""
        try:
            return peer(*arguments)
        except (Failed, OSError, subprocess.SubprocessError) as error:
            self.note(f"without {peer.__name__}: {error}")
            return None

    def run(self, contest):
        contest.run(1 if self.quick else 3)
        self.keep(contest)

    def keep(self, contest):
        self.failures += contest.failures


def machine():
    """Processor, cores, memory and system; nothing that names the machine."""
    model = "unknown processor"
    with open("/proc/cpuinfo") as processors:
        for line in processors:
            if line.startswith("model name"):
                model = line.split(":", 1)[1].strip()
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / (1 << 30)
    release = platform.freedesktop_os_release().get("PRETTY_NAME", platform.system())
    return f"{model}, {len(os.sched_getaffinity(0))} cores, {memory:.0f} GiB, {release}"


def commit():
    done = subprocess.run(["git", "-C", ROOT, "rev-parse", "--short", "HEAD"], capture_output=True, text=True)
    return done.stdout.strip() or None


def measure(name, programs, environment, quick):
    """One group, in a scope of its own; what there is to keep of it."""
    say(f"== {name}")
    with Scope() as scope:
        bench = Bench(scope, programs, environment, quick)
        load = os.getloadavg()[0]
        rows = importlib.import_module("groups." + name).measure(bench)
    return {"group": name, "machine": machine(), "commit": commit(), "when": time.strftime("%Y-%m-%d"),
            "load": load, "rounds": 1 if quick else 3, "rows": [row for row in rows if row],
            "series": bench.series, "notes": bench.notes, "failures": bench.failures}


def main():
    parser = argparse.ArgumentParser(prog="scripts/bench", description="Figures beside their limits and peers.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(GROUPS)}; all without one")
    parser.add_argument("--quick", action="store_true", help="one round of small sizes: shows that it works")
    parser.add_argument("--write", action="store_true", help="render docs/performance.md and its plots from the results")
    arguments = parser.parse_args()
    unknown = [name for name in arguments.names if name not in GROUPS]
    if unknown:
        parser.error(f"there is no {unknown[0]}; there are {', '.join(GROUPS)}")

    folder = os.path.join(ROOT, ".build", "bench")
    results = os.path.join(folder, "quick" if arguments.quick else "results")
    os.makedirs(results, exist_ok=True)
    # A signal unwinds as an error does, so that nothing stays behind.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda received, _: sys.exit(128 + received))

    failures = []
    if arguments.names or not arguments.write:
        say("== building")
        programs = build(ROOT, os.path.join(folder, "programs"))
        for name in arguments.names or GROUPS:
            found = measure(name, programs, os.path.join(ROOT, ".venv-bench"), arguments.quick)
            with open(os.path.join(results, name + ".json"), "w") as file:
                json.dump(found, file, indent=1)
            print(f"\n{name}\n{table.text(found['rows'])}\n", flush=True)
            failures += found["failures"]
    if arguments.write:
        document.write(ROOT, results)
    for failure in failures:
        say("failed: " + failure)
    return 1 if failures else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Failed as error:
        say(f"bench: {error}")
        sys.exit(1)
