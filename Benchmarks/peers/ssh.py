"""OpenSSH on a loopback port: an sshd of our own with its own host key, and one user key that may log in."""

import getpass
import os
import shutil
import subprocess

from harness.processes import cpu_seconds, free_port, timed, until_listening


class SSH:
    def __init__(self, scope):
        self.folder = scope.folder()
        self.port = free_port()
        for key in ("host", "user"):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", self.path(key)], check=True)
        shutil.copy(self.path("user.pub"), self.path("authorized"))
        with open(self.path("host.pub")) as key, open(self.path("known"), "w") as known:
            known.write(f"[127.0.0.1]:{self.port} {key.read()}")
        with open(self.path("server.conf"), "w") as configuration:
            configuration.write("\n".join([
                f"Port {self.port}", "ListenAddress 127.0.0.1", f"HostKey {self.path('host')}",
                f"AuthorizedKeysFile {self.path('authorized')}", "StrictModes no", "UsePAM no",
                "PasswordAuthentication no", "KbdInteractiveAuthentication no", "PermitRootLogin yes",
                "PidFile none", "Subsystem sftp internal-sftp", ""]))
        with open(self.path("client.conf"), "w") as configuration:
            configuration.write("\n".join([
                "Host peer", "HostName 127.0.0.1", f"Port {self.port}", f"User {getpass.getuser()}",
                f"IdentityFile {self.path('user')}", "IdentitiesOnly yes", "BatchMode yes",
                f"UserKnownHostsFile {self.path('known')}", "ControlMaster no", ""]))
        if os.geteuid() == 0:
            os.makedirs("/run/sshd", mode=0o755, exist_ok=True)
        self.server = scope.start(["/usr/sbin/sshd", "-D", "-e", "-f", self.path("server.conf")], self.path("log"))
        until_listening(self.port, "sshd", self.server)

    def path(self, name):
        return os.path.join(self.folder, name)

    def run(self, *words):
        """Runs one of OpenSSH's programs; seconds, and processor time of both sides."""
        before = cpu_seconds(self.server.pid)
        used = timed([words[0], "-F", self.path("client.conf"), *words[1:]])
        return used.seconds, used.cpu + cpu_seconds(self.server.pid) - before

    def rsync(self, *words):
        before = cpu_seconds(self.server.pid)
        used = timed(["rsync", "-e", f"ssh -F {self.path('client.conf')}", *words])
        return used.seconds, used.cpu + cpu_seconds(self.server.pid) - before
