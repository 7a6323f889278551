"""A small message there and back, and how many a second are acknowledged."""

from harness.contest import Contest
from harness.secchat import World
from harness.table import Aim, row
from peers.prosody import Prosody


SIZE = 64
# Enough that neither side ever waits for the other.
WINDOW = 128


def measure(bench):
    rounds = 2_000 if bench.quick else 20_000
    # alice is the program that measures.
    world = World(bench.scope, bench.programs, online=("bob",))
    prosody = bench.attempt(Prosody, bench.scope, bench.programs)
    return there_and_back(bench, world, prosody, rounds) + under_way(bench, world, prosody, rounds)


def there_and_back(bench, world, prosody, rounds):
    def secchat():
        found = world.as_alice("chat", window=1, count=rounds, size=SIZE)
        return {"median": found["chat_rtt_median"], "p99": found["chat_rtt_p99"]}

    def tcp(where):
        found = bench.programs.limit("ping_pong", rounds, where)
        # A message of that size is about 300 bytes long on the wire.
        return {"median": found["round-trip-300"], "p99": found["round-trip-300-p99"]}

    contest = Contest("messages")
    contest.add("secchat", secchat)
    contest.add("TCP", lambda: tcp("anywhere"))
    contest.add("TCP, a core each", lambda: tcp("apart"))
    contest.add("TCP, one core", lambda: tcp("together"))
    if prosody:
        contest.add("prosody", lambda: prosody.there_and_back(rounds // 4, SIZE))
    bench.run(contest)

    aims = {"TCP": Aim("<", 2), "prosody": Aim("<", 1)}
    rows = []
    for figure, what in (("median", "a message and its acknowledgement"), ("p99", "the same, 99th percentile")):
        for other in contest.samples_of(figure):
            if other != "secchat":
                rows.append(row(contest, what, "µs", figure, "secchat", other, aim=aims.get(other)))
    return rows


def under_way(bench, world, prosody, rounds):
    contest = Contest("messages under way together")
    contest.add("secchat", lambda: {
        "rate": world.as_alice("chat", window=WINDOW, count=rounds * 10, size=SIZE)["chat_pipelined"]})
    contest.add("TCP one way, a write each", lambda: {
        "rate": bench.programs.limit("ping_pong", rounds)["one-way-300"]})
    if prosody:
        contest.add("prosody", lambda: prosody.under_way(rounds, SIZE, WINDOW))
    bench.run(contest)

    what = f"messages acknowledged, {WINDOW} under way"
    rows = [row(contest, what, "/s", "rate", "secchat", aim=Aim("≥", 10_000, of="value"))]
    return rows + [row(contest, what, "/s", "rate", "secchat", other)
                   for other in contest.samples_of("rate") if other != "secchat"]
