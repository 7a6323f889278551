"""One large file, and many small ones, from memory to memory."""

import os
import shutil

from harness.contest import Contest
from harness.processes import timed
from harness.secchat import World
from harness.table import Aim, row
from peers.socat import Socat
from peers.ssh import SSH
from peers.wormhole import Wormhole

GIB = 1 << 30
SMALL_FILES = 2000
SMALL_SIZE = 16384

PAIRS = {
    "C pair without encryption": "plain",
    "C pair, ChaCha20-Poly1305": "sodium-chacha",
    "C pair, AES-256-GCM": "sodium-aes",
    "C pair, OpenSSL AES-256-GCM": "openssl-aes",
}


def measure(bench):
    scope = bench.scope
    folder = scope.folder()
    world = World(scope, bench.programs)
    ssh = bench.attempt(SSH, scope)
    wormhole = bench.attempt(Wormhole, scope, bench.environment)
    socat = Socat(scope)
    rows = large(bench, folder, world, ssh, wormhole, socat)
    return rows + small(bench, folder, world, ssh, wormhole, socat)


def empty(path):
    """Removes what a transfer left; not part of its time."""
    if os.path.isdir(path):
        shutil.rmtree(path)
    elif os.path.exists(path):
        os.remove(path)


def large(bench, folder, world, ssh, wormhole, socat):
    size = GIB // 8 if bench.quick else 2 * GIB
    source = os.path.join(folder, "large")
    target = os.path.join(folder, "received")
    random_file(source, size)

    def figures(seconds, cpu, peak_kib=None):
        found = {"rate": size / seconds / 1e6, "cpu": cpu / (size / GIB)}
        if peak_kib is not None:
            found["peak"] = peak_kib / 1024
        return found

    def secchat():
        arrived = os.path.join(world.received(), "large")
        empty(world.received())
        used = world.send(source)
        same_size(arrived, size)
        empty(arrived)
        return figures(*used)

    def pair(cipher):
        used = timed([os.path.join(bench.programs.limits, "file_pair"), cipher, source, target])
        return figures(used.seconds, used.cpu)

    def through(transfer):
        def once():
            empty(target)
            used = transfer()
            same_size(target, size)
            empty(target)
            return figures(*used)
        return once

    contest = Contest("2 GiB" if not bench.quick else "128 MiB")
    contest.add("secchat", secchat)
    for name, cipher in PAIRS.items():
        contest.add(name, lambda cipher=cipher: (empty(target), pair(cipher))[1])
    contest.add("socat TLS 1.3", through(lambda: socat.file(source, target, tls=True)))
    if ssh:
        contest.add("scp aes256-gcm", through(
            lambda: ssh.run("scp", "-q", "-c", "aes256-gcm@openssh.com", source, f"peer:{target}")))
        contest.add("scp", through(lambda: ssh.run("scp", "-q", source, f"peer:{target}")))
        contest.add("rsync over ssh", through(lambda: ssh.rsync("--whole-file", source, f"peer:{target}")))
    if wormhole:
        contest.add("magic-wormhole", through(lambda: wormhole.file(source, target)))
    bench.run(contest)
    empty(source)

    title = f"a file of {contest.title}"
    aims = {"C pair, ChaCha20-Poly1305": Aim("≥", 0.95), "scp aes256-gcm": Aim("≥", 1.5),
            "socat TLS 1.3": Aim(">", 1)}
    rows = [row(contest, title, "MB/s", "rate", "secchat", other, aim=aims.get(other))
            for other in contest.samples_of("rate") if other != "secchat"]
    rows += [row(contest, "processor time, both sides", "s/GiB", "cpu", "secchat", other)
             for other in contest.samples_of("cpu") if other != "secchat"]
    rows.append(row(contest, "peak memory, the larger of both sides", "MiB", "peak", "secchat",
                    aim=Aim("<", 64, of="value")))
    return rows


def small(bench, folder, world, ssh, wormhole, socat):
    source = os.path.join(folder, "small")
    target = os.path.join(folder, "copies")
    os.mkdir(source)
    for number in range(SMALL_FILES):
        random_file(os.path.join(source, f"file{number:04}"), SMALL_SIZE)

    def through(transfer, arrived=None):
        arrived = arrived or os.path.join(target, "small")

        def once():
            empty(target)
            empty(arrived)
            os.mkdir(target)
            seconds, cpu = transfer()[:2]
            count = len(os.listdir(arrived))
            if count != SMALL_FILES:
                raise OSError(f"{count} files arrived")
            empty(target)
            empty(arrived)
            return {"files": SMALL_FILES / seconds, "cpu": cpu}
        return once

    def copy():
        used = timed(["cp", "-r", source, target])
        return used.seconds, used.cpu

    contest = Contest("2,000 files")
    contest.add("secchat", through(lambda: world.send(source), os.path.join(world.received(), "small")))
    contest.add("cp", through(copy))
    contest.add("tar over TCP", through(lambda: socat.tree(source, target, tls=False)))
    contest.add("tar over TLS 1.3", through(lambda: socat.tree(source, target, tls=True)))
    if ssh:
        contest.add("rsync over ssh", through(lambda: ssh.rsync("-r", source, f"peer:{target}/")))
        contest.add("scp", through(lambda: ssh.run("scp", "-q", "-r", source, f"peer:{target}/")))
    if wormhole:
        contest.add("magic-wormhole", through(
            lambda: wormhole.file(source, os.path.join(target, "small"))))
    bench.run(contest)

    title = "a folder of 2,000 files of 16 KiB"
    rows = [row(contest, title, "files/s", "files", "secchat", other)
            for other in contest.samples_of("files") if other != "secchat"]
    return [row(contest, title, "files/s", "files", "secchat", aim=Aim("≥", 10_000, of="value"))] + rows


def random_file(path, size):
    with open(path, "wb") as file:
        for start in range(0, size, 1 << 24):
            file.write(os.urandom(min(1 << 24, size - start)))


def same_size(path, size):
    if os.path.getsize(path) != size:
        raise OSError(f"{path} has {os.path.getsize(path)} bytes of {size}")
