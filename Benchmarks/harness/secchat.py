"""Our own programs: built, and a registry with two people whose daemons run."""

import json
import os
import subprocess

from harness.processes import Failed, cpu_seconds, figures, forget_peak, peak_kib, timed, until


class Programs:
    """The folder of the release build, and of the limits."""

    def __init__(self, binaries, limits):
        self.binaries = binaries
        self.limits = limits

    def ours(self, name):
        return os.path.join(self.binaries, name)

    def limit(self, name, *arguments, **options):
        return figures([os.path.join(self.limits, name), *map(str, arguments)], **options)

    def bench(self, subcommand, **given):
        """A subcommand of secchat-bench; its figures."""
        return figures(self.bench_words(subcommand, **given), limit=1200)

    def bench_words(self, subcommand, **given):
        words = [self.ours("secchat-bench"), subcommand]
        for name, value in given.items():
            words += ["--" + name.replace("_", "-"), str(value)]
        return words


class World:
    """A registry, alice and bob, all in one scope; the daemons are those of `online`."""

    def __init__(self, scope, programs, online=("alice", "bob"), beside="/dev/shm"):
        self.scope = scope
        self.programs = programs
        self.home = scope.folder(beside)
        self.downloads = os.path.join(self.home, "downloads")
        self.processes = {}
        registry = self._start("registry", [programs.ours("secchat-registry"), "--json", "--log-level", "error",
                                            "--listen", "127.0.0.1:0", "--data", self.path("registry")])
        self.registry = registry["url"]
        self.registry_port = registry["port"]
        self.registry_key = registry["key"]
        for name in ("alice", "bob"):
            with open(os.open(self.path(name + ".pass"), os.O_WRONLY | os.O_CREAT, 0o600), "w") as file:
                file.write(f"the passphrase of {name}\n")
            timed(self.command(name, "keygen"))
            timed(self.command(name, "register", f"{name}@{self.registry}"))
            if name in online:
                self.start_daemon(name)
        # The first message makes the link and the pin.
        timed(self.command("alice", "chat", "bob", "hello"))

    def path(self, name):
        return os.path.join(self.home, name)

    def command(self, name, *arguments):
        return [self.programs.ours("secchat"), "--home", self.path(name), "--passphrase-file",
                self.path(name + ".pass"), *arguments]

    def attached(self, name, *arguments):
        """A command for the daemon that runs. Without a passphrase: one that is given is checked, which takes Argon2id."""
        return [self.programs.ours("secchat"), "--home", self.path(name), *arguments]

    def start_daemon(self, name):
        self._start(name, self.command(name, "--json", "daemon", "--listen", "127.0.0.1:0", "--accept-files", "always",
                                       "--downloads", self.downloads))

    def kill(self, name):
        """Ends a daemon without a word."""
        process = self.processes.pop(name)
        process.kill()
        process.wait()

    def _start(self, name, words):
        """Starts a program that says where it listens in its first line; that line."""
        output = self.path(name + ".out")
        log = self.path(name + ".log")
        process = self.scope.start(words, log, stdout=open(output, "wb"))
        self.processes[name] = process

        def first_line():
            with open(output) as lines:
                line = lines.readline()
            return json.loads(line) if line.endswith("\n") else None

        return until(first_line, name, process)

    def as_alice(self, subcommand, **given):
        """Figures of a subcommand of secchat-bench that is alice and talks to bob's daemon."""
        return self.programs.bench(subcommand, home=self.path("alice"), passphrase_file=self.path("alice.pass"),
                                   user="bob", **given)

    def received(self):
        """The folder in which bob finds what alice sent."""
        return os.path.join(self.downloads, "alice")

    def send(self, path):
        """`secchat send bob PATH` as a user does it; what it took, of the command and of both daemons."""
        daemons = [self.processes[name].pid for name in ("alice", "bob")]
        for daemon in daemons:
            forget_peak(daemon)
        before = [cpu_seconds(daemon) for daemon in daemons]
        used = timed(self.attached("alice", "send", "bob", path))
        spent = [cpu_seconds(daemon) - start for daemon, start in zip(daemons, before)]
        return used.seconds, used.cpu + sum(spent), max(peak_kib(daemon) for daemon in daemons)


class Registry:
    """A registry that limits nobody and knows many accounts, for loads that no user makes."""

    def __init__(self, scope, programs, accounts):
        self.programs = programs
        folder = scope.folder()
        output = os.path.join(folder, "out")
        # It ends when its input does.
        process = scope.start(programs.bench_words("registry", data=folder, accounts=accounts),
                              os.path.join(folder, "log"), stdout=open(output, "wb"), stdin=subprocess.PIPE)
        scope.at_end(process.stdin.close)

        def first_line():
            with open(output) as lines:
                words = lines.readline().split()
            return words if len(words) >= 6 else None

        words = until(first_line, "the registry", process, limit=1200)
        self.load = {"port": int(words[1]), "accounts": accounts}
        self.process = process
        self.folder = folder

    def bench(self, subcommand, **given):
        return self.programs.bench(subcommand, **self.load, **given)


def build(root, limits):
    """Builds the release programs and the limits, and returns where they are."""
    def run(words, what):
        done = subprocess.run(words, cwd=root, capture_output=True, text=True, stdin=subprocess.DEVNULL)
        if done.returncode != 0:
            raise Failed(f"{what}: {(done.stdout + done.stderr)[-4000:]}")
        return done.stdout.strip()

    swift = ["swift", "build", "-c", "release", "--static-swift-stdlib"]
    run(swift, "the build")
    binaries = run([*swift, "--show-bin-path"], "the build")
    os.makedirs(limits, exist_ok=True)
    for folder in ("limits", "peers"):
        sources = os.path.join(root, "Benchmarks", folder)
        for name in sorted(os.listdir(sources)):
            if name.endswith(".c"):
                target = os.path.join(limits, name.removesuffix(".c"))
                run(["cc", "-O2", "-std=c11", "-Wall", "-Wextra", "-I", os.path.join(root, "Benchmarks/limits"),
                     os.path.join(sources, name), "-o", target, "-lsodium", "-lssl", "-lcrypto"],
                    f"the build of {name}")
    return Programs(binaries, limits)
