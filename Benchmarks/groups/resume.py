"""A large file whose daemons are killed on the way, beside the same in one go."""

import filecmp
import os
import random
import subprocess
import time

from groups.files import GIB, empty, random_file
from harness.contest import Contest
from harness.processes import Failed, timed, until
from harness.secchat import World
from harness.table import Aim, row

KILLS = 4


def measure(bench):
    size = GIB // 8 if bench.quick else 2 * GIB
    world = World(bench.scope, bench.programs)
    source = os.path.join(bench.scope.folder(), "large")
    random_file(source, size)
    arrived = os.path.join(world.received(), "large")

    def transfer(kills):
        # Not the whole folder: a daemon may still be tidying up in it.
        empty(arrived)
        begun = loopback_bytes()
        seconds = 0
        for number in range(kills):
            # Somewhere in its part of the file, the sender's and the receiver's in turn.
            place = begun + (number + random.random()) * 0.9 * size / kills
            seconds += killed(world, source, ("alice", "bob")[number % 2], place)
        used = timed(world.attached("alice", "send", "bob", source))
        if not filecmp.cmp(source, arrived, shallow=False):
            raise Failed("what arrived is not what was sent")
        return {"bytes": (loopback_bytes() - begun) / 1e6, "rate": size / (seconds + used.seconds) / 1e6}

    contest = Contest(f"a file of {size / GIB:g} GiB, cut short")
    contest.add("secchat", lambda: transfer(KILLS))
    contest.add("in one go", lambda: transfer(0))
    bench.run(contest)
    empty(source)
    what = f"a file of {size / GIB:g} GiB, killed {KILLS} times on the way"
    return [row(contest, f"{what}: on the wire", "MB", "bytes", "secchat", "in one go", aim=Aim("≤", 1.05)),
            row(contest, f"{what}: of all commands", "MB/s", "rate", "secchat", "in one go")]


def killed(world, source, victim, place):
    """`secchat send`, whose own or whose peer's daemon is killed once so much has passed; what the command took."""
    sending = subprocess.Popen(world.attached("alice", "send", "bob", source), stdin=subprocess.DEVNULL,
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    begun = time.monotonic()
    until(lambda: loopback_bytes() >= place or sending.poll() is not None, "enough of a file", pause=0.001)
    world.kill(victim)
    status = sending.wait(60)
    seconds = time.monotonic() - begun
    if status == 0:
        raise Failed("the file had arrived before the kill")
    world.start_daemon(victim)
    return seconds


def loopback_bytes():
    """What has passed over loopback so far: nobody else uses it while this runs."""
    with open("/sys/class/net/lo/statistics/rx_bytes") as count:
        return int(count.read())
