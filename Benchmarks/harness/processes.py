"""Processes started, timed and ended; nothing of them stays, however the run ends."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time

TICKS = os.sysconf("SC_CLK_TCK")


class Failed(Exception):
    """A program did not do what a measurement needs; the text says what it said."""


class Usage:
    """What a program that has ended took: wall clock, processor time with that of its children, peak memory."""

    def __init__(self, seconds, cpu, peak_kib):
        self.seconds = seconds
        self.cpu = cpu
        self.peak_kib = peak_kib


class Scope:
    """Owns folders and processes. Leaving it ends the processes, with all that they started, and removes the folders."""

    def __init__(self):
        self._stack = contextlib.ExitStack()

    def __enter__(self):
        return self

    def __exit__(self, *reason):
        return self._stack.__exit__(*reason)

    def folder(self, beside="/dev/shm"):
        """A new folder in memory, for its owner alone."""
        path = tempfile.mkdtemp(prefix="secchat-bench-", dir=beside if os.path.isdir(beside) else None)
        self._stack.callback(shutil.rmtree, path, ignore_errors=True)
        return path

    def start(self, words, log, **options):
        """Starts what runs in the background; its output goes to `log`."""
        with open(log, "ab") as output:
            options.setdefault("stdout", output)
            options.setdefault("stderr", output)
            options.setdefault("stdin", subprocess.DEVNULL)
            process = subprocess.Popen(words, start_new_session=True, **options)
        process.log = log
        self._stack.callback(end, process)
        return process

    def at_end(self, function, *arguments):
        self._stack.callback(function, *arguments)


def end(process):
    """Asks a process to end, then ends its whole group."""
    if process.poll() is None:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(5)
    # The group may outlive its leader.
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    if process.poll() is None:
        process.wait()


def timed(words, limit=300, expect=0, **options):
    """Runs a program to its end. Its standard error is shown when it fails."""
    with tempfile.TemporaryFile() as errors:
        options.setdefault("stdout", subprocess.DEVNULL)
        options.setdefault("stdin", subprocess.DEVNULL)
        start = time.perf_counter()
        process = subprocess.Popen(words, stderr=errors, start_new_session=True, **options)
        with limited(process, limit):
            _, status, used = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != expect:
            errors.seek(0)
            said = errors.read()[-2000:].decode(errors="replace").strip()
            raise Failed(f"{' '.join(words[:3])} … ended with {process.returncode}: {said}")
    return Usage(seconds, used.ru_utime + used.ru_stime, used.ru_maxrss)


@contextlib.contextmanager
def limited(process, seconds):
    """Ends the process's group when the block takes too long, or is left by an error."""
    def give_up(*_):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)

    before = signal.signal(signal.SIGALRM, give_up)
    signal.alarm(seconds)
    try:
        yield
    except BaseException:
        give_up()
        raise
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def outlived(processes, log, what, limit=300):
    """Waits until all have ended well; the processor time that they used."""
    cpu = 0
    for process in processes:
        with limited(process, limit):
            _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        cpu += used.ru_utime + used.ru_stime
        if process.returncode != 0:
            with open(log) as said:
                raise Failed(f"{what} ended with {process.returncode}: {said.read()[-1000:]}")
    return cpu


def figures(words, limit=300, **options):
    """Runs a program that prints lines `name value unit`; a dictionary of the values."""
    done = subprocess.run(words, capture_output=True, text=True, timeout=limit, stdin=subprocess.DEVNULL, **options)
    if done.returncode != 0:
        raise Failed(f"{' '.join(words[:3])} … ended with {done.returncode}: {done.stderr[-2000:].strip()}")
    found = {}
    for line in done.stdout.splitlines():
        parts = line.split()
        if len(parts) >= 2:
            with contextlib.suppress(ValueError):
                found[parts[0]] = float(parts[1])
    if not found:
        raise Failed(f"{' '.join(words[:3])} … printed no figure")
    return found


def cpu_seconds(process_id):
    """Processor time of a process so far, with that of its children: those that are gone, and those that still run."""
    with open(f"/proc/{process_id}/stat", "rb") as stat:
        fields = stat.read().rsplit(b")", 1)[1].split()
    total = sum(int(fields[i]) for i in (11, 12, 13, 14)) / TICKS
    for child in children(process_id):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            total += cpu_seconds(child)
    return total


def children(process_id):
    found = []
    for task in os.listdir(f"/proc/{process_id}/task"):
        with contextlib.suppress(FileNotFoundError), open(f"/proc/{process_id}/task/{task}/children") as list_:
            found += [int(one) for one in list_.read().split()]
    return found


def forget_peak(process_id):
    """From now on the peak of the process's memory is counted anew."""
    with open(f"/proc/{process_id}/clear_refs", "w") as refs:
        refs.write("5")


def peak_kib(process_id):
    return memory_kib(process_id, "VmHWM")


def memory_kib(process_id, field="VmRSS"):
    with open(f"/proc/{process_id}/status") as status:
        for line in status:
            if line.startswith(field + ":"):
                return int(line.split()[1])
    raise Failed(f"no {field} of process {process_id}")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def until(condition, what, process=None, limit=60, pause=0.01):
    """Waits until the condition holds and returns what it gave."""
    deadline = time.monotonic() + limit
    while time.monotonic() < deadline:
        found = condition()
        if found:
            return found
        if process is not None and process.poll() is not None:
            with open(process.log, errors="replace") as log:
                raise Failed(f"{what}: the process ended with {process.returncode}: {log.read()[-2000:].strip()}")
        time.sleep(pause)
    raise Failed(f"{what}: nothing after {limit} s")


def is_listening(port):
    """Whether somebody listens on the port of loopback; tells without connecting."""
    wanted = f":{port:04X}"
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        with contextlib.suppress(FileNotFoundError), open(table) as lines:
            for line in lines:
                fields = line.split()
                if fields[1].endswith(wanted) and fields[3] == "0A":
                    return True
    return False


def until_listening(port, what, process):
    until(lambda: is_listening(port), what, process)
