"""From nothing to the first acknowledged message."""

from harness.contest import Contest
from harness.secchat import World
from harness.table import Aim, row
from peers.socat import certificate
from peers.ssh import SSH
from peers.wormhole import Wormhole


def measure(bench):
    programs = bench.programs
    rounds = 200 if bench.quick else 2_000
    pem, key = certificate(bench.scope.folder())
    world = World(bench.scope, programs, online=("bob",))
    ssh = bench.attempt(SSH, bench.scope)
    wormhole = bench.attempt(Wormhole, bench.scope, bench.environment)

    def tls():
        found = programs.limit("tls_connect", rounds, pem, key)
        return {"median": found["connect"] / 1000, "p99": found["connect-p99"] / 1000}

    def milliseconds(used):
        return {"median": used[0] * 1000, "cpu": used[1] * 1000}

    def secchat():
        found = world.as_alice("connect", registry_key=world.registry_key, registry_port=world.registry_port,
                               name="alice", count=rounds)
        return {"median": found["connect_median"] / 1000, "p99": found["connect_p99"] / 1000}

    contest = Contest("connect")
    contest.add("secchat", secchat)
    contest.add("TCP", lambda: {"median": programs.limit("ping_pong", rounds * 10)["connect"] / 1000})
    contest.add("TLS 1.3, both with certificates", tls)
    if ssh:
        contest.add("ssh", lambda: milliseconds(ssh.run("ssh", "peer", "true")))
    if wormhole:
        contest.add("magic-wormhole, a text", lambda: milliseconds(wormhole.text("hello")))
    bench.run(contest)
    what = "connect, handshake, first message acknowledged"
    rows = [row(contest, what, "ms", "median", "secchat", aim=Aim("<", 1, of="value"))]
    for other in contest.samples_of("median"):
        if other != "secchat":
            rows.append(row(contest, what, "ms", "median", "secchat", other))
    return rows
