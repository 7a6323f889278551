"""The registry: logins, look-ups, memory, and how each grows."""

import resource
import socket
import time

from harness.contest import Contest
from harness.processes import memory_kib
from harness.table import Aim, plain, row
from peers.redis import Redis

CONNECTIONS = 5_000


def measure(bench):
    redis = bench.attempt(Redis, bench.scope)
    rows = logins(bench) + lookups(bench, redis) + memory(bench, redis)
    if not bench.quick:
        bench.series["connections"] = grown(bench, "registry-memory", "--connections", (1000, 2000, 5000, 10000, 15000))
        bench.series["accounts"] = grown(bench, "registry-accounts", "--accounts", (10**3, 10**4, 10**5, 10**6))
    return rows


def logins(bench):
    contest = Contest("logins")
    bench.ours(contest, "secchat", "registry-logins")
    bench.run(contest)
    return [row(contest, "logins", "/s", "rate", "secchat", aim=Aim("≥", 5_000, of="value"))]


def lookups(bench, redis):
    requests = 20_000 if bench.quick else 200_000
    contest = Contest("look-ups")
    for depth in (1, 16):
        def ours(depth=depth):
            found = bench.programs.bench("registry-lookups", "--links", 50, "--depth", depth)
            return {f"rate-{depth}": found["rate"]}

        if bench.has("registry-lookups"):
            contest.add(f"secchat, depth {depth}", ours)
        if redis:
            contest.add(f"Redis GET, depth {depth}", lambda depth=depth: {
                f"rate-{depth}": redis.gets(requests * depth // (1 if depth == 1 else 2), depth)})
    bench.run(contest)
    rows = []
    for depth, aim, words in ((1, Aim(">", 1), "one at a time"), (16, Aim("≥", 300_000, of="value"), "16 deep")):
        what = f"look-ups over 50 links, {words}"
        rows.append(row(contest, what, "/s", f"rate-{depth}", f"secchat, depth {depth}", f"Redis GET, depth {depth}",
                        aim=aim)
                    or plain(contest, f"Redis GET, depth {depth}", f"rate-{depth}", what, "/s"))
    return rows


def memory(bench, redis):
    contest = Contest("memory")
    if bench.has("registry-memory"):
        contest.add("secchat", lambda: bench.programs.bench("registry-memory", "--connections", CONNECTIONS))
    if redis:
        contest.add("Redis", lambda: {"per-connection": held(redis.server.pid, redis.port)})
    bench.run(contest)
    what = "memory of an idle connection, at 5,000"
    return [row(contest, what, "KiB", "per-connection", "secchat", aim=Aim("<", 4, of="value")),
            row(contest, what, "KiB", "per-connection", "secchat", "Redis")
            or plain(contest, "Redis", "per-connection", what, "KiB")]


def held(process_id, port, count=CONNECTIONS, greeting=b"PING\r\n"):
    """KiB that a server grows by for each connection that has said one thing and then nothing."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    before = memory_kib(process_id)
    connections = []
    try:
        for _ in range(count):
            connection = socket.create_connection(("127.0.0.1", port))
            connections.append(connection)
            connection.sendall(greeting)
            connection.recv(64)
        time.sleep(0.5)
        return (memory_kib(process_id) - before) / count
    finally:
        for connection in connections:
            connection.close()


def grown(bench, subcommand, option, sizes):
    """The figures of one subcommand at each size."""
    if not bench.has(subcommand):
        return []
    return [{"size": size, **bench.programs.bench(subcommand, option, size, limit=1200)} for size in sizes]
