"""Redis on a loopback port, keeping nothing, and its own benchmark."""

import csv
import os
import subprocess

from harness.processes import Failed, free_port, until_listening


class Redis:
    def __init__(self, scope):
        folder = scope.folder()
        self.port = free_port()
        self.server = scope.start(
            ["redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no",
             "--dir", folder, "--maxclients", "20000"], os.path.join(folder, "log"))
        until_listening(self.port, "redis-server", self.server)

    def gets(self, requests, depth, connections=50):
        """GETs a second over some connections, so many under way on each."""
        words = ["redis-benchmark", "-p", str(self.port), "-c", str(connections), "-n", str(requests), "-P", str(depth),
                 "-r", "10000", "-t", "set,get", "--csv"]
        done = subprocess.run(words, capture_output=True, text=True, timeout=300, stdin=subprocess.DEVNULL)
        for line in csv.reader(done.stdout.splitlines()):
            if line and line[0] == "GET":
                return float(line[1])
        raise Failed(f"redis-benchmark: {done.stderr[-1000:]}")
