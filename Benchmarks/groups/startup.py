"""How long a program takes that only says its version, and how large the programs are."""

import os
import shutil
import statistics
import subprocess
import time

from harness.contest import Contest
from harness.table import Aim, row

MB = 1e6


def measure(bench):
    secchat = bench.programs.ours("secchat")
    registry = bench.programs.ours("secchat-registry")
    programs = {
        "secchat": [secchat, "--version"],
        "secchat-registry": [registry, "--version"],
        "ssh -V": ["ssh", "-V"],
        "rsync --version": ["rsync", "--version"],
        "true": ["true"],
    }
    commands = {}
    for name, words in programs.items():
        path = shutil.which(words[0])
        if path:
            commands[name] = [path, *words[1:]]
        else:
            bench.note(f"{words[0]} is not there")

    contest = Contest("start-up")
    # The rounds are short here, so that what disturbs one program disturbs all.
    for name, words in commands.items():
        contest.add(name, lambda words=words: {"start": median_start(words, 20)})
    contest.run(3 if bench.quick else 10)
    bench.keep(contest)
    rows = [row(contest, "secchat --version", "ms", "start", "secchat", other,
                aim=Aim("≤", 1) if other == "ssh -V" else None)
            for other in ("ssh -V", "rsync --version", "true")]
    rows.append(row(contest, "secchat-registry --version", "ms", "start", "secchat-registry", "ssh -V"))
    return rows + sizes(bench, {"secchat": secchat, "secchat-registry": registry})


def median_start(words, times):
    """Milliseconds from the start of a program to its end."""
    nothing = os.open(os.devnull, os.O_RDWR)
    quiet = [(os.POSIX_SPAWN_DUP2, nothing, descriptor) for descriptor in (0, 1, 2)]
    samples = []
    for _ in range(times):
        start = time.perf_counter()
        process = os.posix_spawn(words[0], words, os.environ, file_actions=quiet)
        os.waitpid(process, 0)
        samples.append((time.perf_counter() - start) * 1000)
    os.close(nothing)
    return statistics.median(samples)


def sizes(bench, programs):
    """The release build with the Swift runtime inside, without symbols."""
    folder = bench.scope.folder()

    def size(path):
        stripped = os.path.join(folder, os.path.basename(path))
        subprocess.run(["strip", "-o", stripped, path], check=True)
        return {"size": os.path.getsize(stripped) / MB}

    contest = Contest("size")
    for name, path in programs.items():
        contest.add(name, lambda path=path: size(path))
    contest.run(1)
    bench.keep(contest)
    return [row(contest, f"{name}, stripped", "MB", "size", name, aim=Aim("<", 16, of="value")) for name in programs]
