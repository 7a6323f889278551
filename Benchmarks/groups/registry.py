"""The registry: logins, look-ups, memory, and how each grows."""

import resource
import socket
import time

from harness.contest import Contest
from harness.processes import Scope, memory_kib
from harness.secchat import Registry
from harness.table import Aim, row
from peers.ngircd import Ngircd
from peers.redis import Redis

CONNECTIONS = 5_000


ACCOUNTS = 10_000


def measure(bench):
    redis = bench.attempt(Redis, bench.scope)
    registry = Registry(bench.scope, bench.programs, ACCOUNTS)
    rows = logins(bench, registry) + lookups(bench, registry, redis) + memory(bench, redis is not None)
    if not bench.quick:
        bench.series["connections"] = by_connections(bench)
        bench.series["accounts"] = by_accounts(bench)
    return rows


def logins(bench, registry):
    contest = Contest("logins")
    count = 1_000 if bench.quick else 10_000
    contest.add("secchat", lambda: registry.bench("logins", count=count))
    ngircd = bench.attempt(Ngircd, bench.scope)
    if ngircd:
        contest.add("ngircd without TLS", lambda: {"registry_logins": ngircd.logins(count // 2)})
    bench.run(contest)
    return [row(contest, "logins", "/s", "registry_logins", "secchat", aim=Aim("≥", 5_000, of="value")),
            row(contest, "logins", "/s", "registry_logins", "secchat", "ngircd without TLS")]


def lookups(bench, registry, redis):
    requests = 20_000 if bench.quick else 200_000
    contest = Contest("look-ups")
    for depth in (1, 16):
        count = requests * (1 if depth == 1 else 5)
        contest.add(f"secchat, depth {depth}", lambda depth=depth, count=count: {
            f"rate-{depth}": registry.bench("lookups", links=50, depth=depth, count=count)["registry_lookups"]})
        if redis:
            contest.add(f"Redis GET, depth {depth}", lambda depth=depth, count=count: {
                f"rate-{depth}": redis.gets(count, depth)})
    bench.run(contest)
    rows = []
    for depth, words in ((1, "one at a time"), (16, "16 deep")):
        what = f"look-ups over 50 links, {words}"
        ours, figure = f"secchat, depth {depth}", f"rate-{depth}"
        if depth == 16:
            rows.append(row(contest, what, "/s", figure, ours, aim=Aim("≥", 300_000, of="value")))
        rows.append(row(contest, what, "/s", figure, ours, f"Redis GET, depth {depth}",
                        aim=Aim(">", 1) if depth == 1 else None))
    return rows


def memory(bench, with_redis):
    # Fresh ones each time: memory that was used once stays with a process.
    def secchat():
        with Scope() as scope:
            registry = Registry(scope, bench.programs, ACCOUNTS)
            found = registry.bench("idle", process=registry.process.pid, connections=CONNECTIONS)
            return {"per-connection": found[f"registry_idle_{CONNECTIONS}"]}

    def redis():
        with Scope() as scope:
            fresh = Redis(scope)
            return {"per-connection": held(fresh.server.pid, fresh.port, lambda: b"PING\r\n")}

    def ngircd():
        with Scope() as scope:
            fresh = Ngircd(scope)
            return {"per-connection": held(fresh.server.pid, fresh.port, fresh.greeting)}

    contest = Contest("memory")
    contest.add("secchat", secchat)
    if with_redis:
        contest.add("Redis", redis)
    contest.add("ngircd without TLS", ngircd)
    bench.run(contest)
    what = "memory of an idle connection, at 5,000"
    return [row(contest, what, "KiB", "per-connection", "secchat", aim=Aim("<", 4, of="value")),
            row(contest, what, "KiB", "per-connection", "secchat", "Redis"),
            row(contest, what, "KiB", "per-connection", "secchat", "ngircd without TLS")]


def held(process_id, port, greeting, count=CONNECTIONS):
    """KiB that a server grows by for each connection that has said one thing and then nothing."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    before = memory_kib(process_id)
    connections = []
    try:
        for _ in range(count):
            connection = socket.create_connection(("127.0.0.1", port))
            connections.append(connection)
            connection.sendall(greeting())
            connection.recv(4096)
        time.sleep(0.5)
        return (memory_kib(process_id) - before) / count
    finally:
        for connection in connections:
            connection.close()


def by_connections(bench):
    """Look-ups over so many links at once, and what each takes when it is idle."""
    sizes = (1_000, 2_000, 5_000, 10_000, 15_000)
    with Scope() as scope:
        registry = Registry(scope, bench.programs, 20_000)
        idle = registry.bench("idle", process=registry.process.pid, connections=",".join(map(str, sizes)))
        return [{"size": size, "KiB each": idle[f"registry_idle_{size}"],
                 "look-ups/s": registry.bench("lookups", links=size, count=200_000)["registry_lookups"]}
                for size in sizes]


def by_accounts(bench):
    """Everything a registry does, with so many accounts in its database."""
    found = []
    for size in (1_000, 10_000, 100_000, 1_000_000):
        with Scope() as scope:
            registry = Registry(scope, bench.programs, size)
            found.append({
                "size": size,
                "logins/s": registry.bench("logins", count=5_000)["registry_logins"],
                "look-ups/s": registry.bench("lookups", count=200_000)["registry_lookups"],
                "look-ups/s, 16 deep": registry.bench("lookups", depth=16, count=500_000)["registry_lookups"],
                "memory, MiB": memory_kib(registry.process.pid) / 1024,
            })
    return found
