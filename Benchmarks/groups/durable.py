"""Messages that are on both disks before they are confirmed, and reading them again."""

import os
import time

from harness.contest import Contest
from harness.processes import timed
from harness.secchat import World
from harness.table import Aim, row

SIZE = 64
WINDOW = 128


def measure(bench):
    # A disk, not memory: the folder of the build.
    disk = os.path.join(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))), ".build")
    on_disk = World(bench.scope, bench.programs, online=("bob",), beside=disk)
    in_memory = World(bench.scope, bench.programs, online=("bob",))
    rounds = 200 if bench.quick else 2_000
    rows = there_and_back(bench, on_disk, in_memory, disk, rounds)
    rows += under_way(bench, on_disk, in_memory, rounds)
    return rows + ratchet(bench) + history(bench, on_disk)


def there_and_back(bench, on_disk, in_memory, disk, rounds):
    def secchat(world):
        found = world.as_alice("chat", window=1, count=rounds, size=SIZE)
        return {"median": found["chat_rtt_median"]}

    contest = Contest("durable messages")
    contest.add("secchat", lambda: secchat(on_disk))
    contest.add("the same in memory", lambda: secchat(in_memory))
    contest.add("a flush of the disk", lambda: {
        "median": bench.programs.limit("flush", os.path.join(disk, "flush"), rounds)["flush"]})
    bench.run(contest)
    what = "a message on both disks, and its acknowledgement"
    return [row(contest, what, "µs", "median", "secchat", other)
            for other in ("a flush of the disk", "the same in memory")]


def under_way(bench, on_disk, in_memory, rounds):
    def secchat(world):
        return {"rate": world.as_alice("chat", window=WINDOW, count=rounds * 10, size=SIZE)["chat_pipelined"]}

    contest = Contest("durable messages under way together")
    contest.add("secchat", lambda: secchat(on_disk))
    contest.add("the same in memory", lambda: secchat(in_memory))
    bench.run(contest)
    what = f"messages on both disks, {WINDOW} under way"
    return [row(contest, what, "/s", "rate", "secchat", aim=Aim("≥", 10_000, of="value")),
            row(contest, what, "/s", "rate", "secchat", "the same in memory")]


def ratchet(bench):
    seconds = 0.2 if bench.quick else 1
    contest = Contest("the ratchet")
    contest.add("secchat", lambda: bench.programs.bench("ratchet", seconds=seconds))
    contest.add("X25519 alone", lambda: bench.programs.limit("primitives", seconds))
    bench.run(contest)
    return [row(contest, "messages sealed in a session that goes one way", "/s", "ratchet_seal", "secchat"),
            row(contest, "the same, opened", "/s", "ratchet_open", "secchat"),
            row(contest, "sealed and opened, the direction turning each time", "/s", "ratchet_turns", "secchat",
                "X25519 alone", "x25519")]


def history(bench, world):
    """100,000 messages: a search of all of them, and what a command takes that asks for the newest."""
    count = 2_000 if bench.quick else 100_000
    world.as_alice("chat", window=256, count=count, size=SIZE)

    def command(*words):
        return timed_command(world, "alice", *words)

    contest = Contest("the history")
    contest.add("secchat", lambda: {
        "newest": 1e3 * command("history", "bob", "--limit", "1"),
        "search": 1e3 * command("history", "bob", "--search", "nowhere"),
    })
    # Bob's daemon checks the passphrase, and has nothing that waits.
    contest.add("Argon2id and a command", lambda: {"newest": 1e3 * timed_command(world, "bob", "outbox")})
    bench.run(contest)
    return [row(contest, f"the newest of {count:,} messages, a whole command", "ms", "newest", "secchat",
                "Argon2id and a command"),
            row(contest, f"a search of {count:,} messages, a whole command", "ms", "search", "secchat",
                aim=Aim("<", 500, of="value"))]


def timed_command(world, *words):
    begun = time.monotonic()
    timed(world.command(*words))
    return time.monotonic() - begun
