"""socat: a file or an archive over TCP, plain or under TLS 1.3 (its default suite is AES-256-GCM)."""

import os
import subprocess
import time

from harness.processes import Scope, free_port, outlived, until_listening

BLOCK = ["-b", "65536"]


def certificate(folder):
    """Makes a certificate for the one end, which the other trusts; returns its paths."""
    made = os.path.join(folder, "certificate.pem")
    key = os.path.join(folder, "certificate.key.pem")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ed25519", "-nodes", "-keyout", key, "-out", made, "-days", "2",
         "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"],
        check=True, capture_output=True)
    return made, key


class Socat:
    def __init__(self, scope):
        self.folder = scope.folder()
        self.certificate, self.key = certificate(self.folder)

    def _ends(self, port, tls):
        if not tls:
            return f"TCP-LISTEN:{port},bind=127.0.0.1,reuseaddr", f"TCP:127.0.0.1:{port}"
        return (f"OPENSSL-LISTEN:{port},bind=127.0.0.1,reuseaddr,cert={self.certificate},key={self.key},verify=0,"
                "openssl-min-proto-version=TLS1.3",
                f"OPENSSL:127.0.0.1:{port},cafile={self.certificate},commonname=localhost,"
                "openssl-min-proto-version=TLS1.3")

    def file(self, source, target, tls):
        """One file; seconds until both have ended, and processor time of both."""
        return self._transfer(tls, lambda end: ["socat", *BLOCK, "-u", f"OPEN:{source},rdonly", end],
                              lambda end: ["socat", *BLOCK, "-u", end, f"OPEN:{target},creat,trunc,wronly"])

    def tree(self, source, target, tls):
        """A folder through tar."""
        parent, name = os.path.split(source)
        os.makedirs(target, exist_ok=True)
        return self._transfer(
            tls, lambda end: ["sh", "-c", f"tar -C {parent} -cf - {name} | socat {' '.join(BLOCK)} -u - {end}"],
            lambda end: ["sh", "-c", f"socat {' '.join(BLOCK)} -u {end} - | tar -C {target} -xf -"])

    def _transfer(self, tls, sender, receiver):
        port = free_port()
        listening, connecting = self._ends(port, tls)
        with Scope() as scope:
            log = os.path.join(self.folder, "log")
            receiving = scope.start(receiver(listening), log)
            until_listening(port, "socat", receiving)
            start = time.perf_counter()
            sending = scope.start(sender(connecting), log)
            cpu = outlived((sending, receiving), log, "socat")
            return time.perf_counter() - start, cpu
