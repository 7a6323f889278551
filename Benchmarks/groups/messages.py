"""A small message there and back, and how many a second are acknowledged."""

from harness.contest import Contest
from harness.table import Aim, plain, row
from peers.prosody import Prosody


def measure(bench):
    programs = bench.programs
    rounds = 5_000 if bench.quick else 50_000
    prosody = bench.attempt(Prosody, bench.scope, programs)

    contest = Contest("messages")
    bench.ours(contest, "secchat", "round-trip", "--rounds", rounds)
    contest.add("TCP", lambda: programs.limit("ping_pong", rounds))
    contest.add("TCP, a core each", lambda: programs.limit("ping_pong", rounds, "apart"))
    contest.add("TCP, one core", lambda: programs.limit("ping_pong", rounds, "together"))
    if prosody:
        contest.add("prosody", lambda: prosody.round_trips(rounds // 10))
    bench.run(contest)

    what = "a message and its acknowledgement"
    rows = []
    for other in ("TCP", "TCP, a core each", "TCP, one core"):
        aim = Aim("<", 2) if other == "TCP" else None
        rows.append(row(contest, what, "µs", "median", "secchat", other, "round-trip-300", aim=aim))
        rows.append(row(contest, what + ", p99", "µs", "p99", "secchat", other, "round-trip-300-p99"))
        if rows[-1] is None:
            rows.append(plain(contest, other, "round-trip-300", "300 bytes there and back", "µs"))
            rows.append(plain(contest, other, "round-trip-300-p99", "300 bytes there and back, p99", "µs"))
    if prosody:
        rows.append(row(contest, what, "µs", "median", "secchat", "prosody", aim=Aim("<", 1)))
        rows.append(row(contest, what + ", p99", "µs", "p99", "secchat", "prosody", aim=Aim("<", 1)))
        if rows[-1] is None:
            rows.append(plain(contest, "prosody", "median", what, "µs"))
            rows.append(plain(contest, "prosody", "p99", what + ", p99", "µs"))

    pipelined = Contest("messages under way together")
    bench.ours(pipelined, "secchat", "pipelined", "--messages", rounds * 4)
    pipelined.add("TCP one way, a write each", lambda: {
        "rate": programs.limit("ping_pong", rounds)["one-way-300"]})
    if prosody:
        pipelined.add("prosody", lambda: prosody.pipelined(rounds))
    bench.run(pipelined)
    what = "messages acknowledged, many under way"
    rows.append(row(pipelined, what, "/s", "rate", "secchat", aim=Aim("≥", 70_000, of="value")))
    for other in ("TCP one way, a write each", "prosody"):
        rows.append(row(pipelined, what, "/s", "rate", "secchat", other)
                    or plain(pipelined, other, "rate", what, "/s"))
    return rows
