"""magic-wormhole with a mailbox server of its own on loopback; the data goes straight from one to the other."""

import os
import time

from harness.processes import Scope, free_port, outlived, until_listening


class Wormhole:
    def __init__(self, scope, environment):
        self.folder = scope.folder()
        self.binaries = os.path.join(environment, "bin")
        self.codes = 0
        self.port = free_port()
        words = [self.program("twist"), "wormhole-mailbox", f"--port=tcp:{self.port}:interface=127.0.0.1",
                 f"--channel-db={self.folder}/mailbox.sqlite", f"--usage-db={self.folder}/usage.sqlite"]
        self.server = scope.start(words, os.path.join(self.folder, "log"), cwd=self.folder)
        until_listening(self.port, "the mailbox server", self.server)

    def program(self, name):
        return os.path.join(self.binaries, name)

    def _words(self, *arguments):
        # No relay: where the two cannot reach each other this fails, as it should.
        return [self.program("wormhole"), "--relay-url", f"ws://127.0.0.1:{self.port}/v1", "--transit-helper", "",
                *arguments]

    def file(self, source, target):
        """A file or a folder; seconds from the start of both until both have ended, and processor time of both."""
        return self._exchange(["--hide-progress", source], ["--hide-progress", "--accept-file", "--output-file", target])

    def text(self, text):
        return self._exchange(["--text", text], ["--only-text"])

    def _exchange(self, sending, receiving):
        self.codes += 1
        code = f"{self.codes}-amulet-atlas"
        log = os.path.join(self.folder, "client.log")
        with Scope() as scope:
            start = time.perf_counter()
            processes = [scope.start(self._words("send", "--code", code, *sending), log, cwd=self.folder),
                         scope.start(self._words("receive", *receiving, code), log, cwd=self.folder)]
            cpu = outlived(processes, log, "wormhole")
            return time.perf_counter() - start, cpu
