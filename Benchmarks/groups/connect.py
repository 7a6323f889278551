"""From nothing to the first acknowledged message, and how many handshakes a core does."""

from harness.contest import Contest
from harness.table import Aim, plain, row
from peers.socat import certificate
from peers.ssh import SSH
from peers.wormhole import Wormhole


def measure(bench):
    programs = bench.programs
    rounds = 200 if bench.quick else 2_000
    pem, key = certificate(bench.scope.folder())
    ssh = bench.attempt(SSH, bench.scope)
    wormhole = bench.attempt(Wormhole, bench.scope, bench.environment)

    def tls():
        found = programs.limit("tls_connect", rounds, pem, key)
        return {"median": found["connect"] / 1000, "p99": found["connect-p99"] / 1000}

    def milliseconds(used):
        return {"median": used[0] * 1000, "cpu": used[1] * 1000}

    def ours():
        found = programs.bench("connect", "--rounds", rounds)
        return {"median": found["median"] / 1000, "p99": found["p99"] / 1000}

    contest = Contest("connect")
    if bench.has("connect"):
        contest.add("secchat", ours)
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
            rows.append(row(contest, what, "ms", "median", "secchat", other)
                        or plain(contest, other, "median", what, "ms"))
    return rows + handshakes(bench)


def handshakes(bench):
    """Noise XK, both sides on one core, beside what the curve alone would allow at its rate of the same round."""
    seconds = 0.5 if bench.quick else 2

    def limit():
        found = bench.programs.limit("primitives", seconds / 10)
        # Each side: one fresh key pair, and es, ee, se: three products.
        return {"rate": 1 / (2 / found["x25519-base"] + 6 / found["x25519"])}

    contest = Contest("handshakes")
    bench.ours(contest, "secchat", "handshakes", seconds)
    contest.add("X25519 alone", limit)
    bench.run(contest)
    what = "XK handshakes on one core, both sides"
    return [row(contest, what, "/s", "rate", "secchat", "X25519 alone", aim=Aim("≥", 0.7))
            or plain(contest, "X25519 alone", "rate", what, "/s")]
