"""ngircd, an IRC server, in plain text: what a log-in costs where nothing is encrypted."""

import os
import socket
import time

from harness.processes import Failed, free_port, until_listening

CONFIGURATION = """
[Global]
Name = bench.localhost
Info = bench
Listen = 127.0.0.1
Ports = {port}
PidFile = {folder}/pid
[Limits]
MaxConnections = 0
MaxConnectionsIP = 0
MaxPenaltyTime = 0
PingTimeout = 3600
[Options]
DNS = no
Ident = no
PAM = no
SyslogFacility = local0
"""


class Ngircd:
    def __init__(self, scope):
        folder = scope.folder()
        self.port = free_port()
        configuration = os.path.join(folder, "ngircd.conf")
        with open(configuration, "w") as file:
            file.write(CONFIGURATION.format(folder=folder, port=self.port))
        self.server = scope.start(["/usr/sbin/ngircd", "-n", "-f", configuration], os.path.join(folder, "log"))
        until_listening(self.port, "ngircd", self.server)
        self.names = 0

    def greeting(self):
        """What logs a new user in."""
        self.names += 1
        return f"NICK n{self.names:07}\r\nUSER n 0 * :n\r\n".encode()

    def logins(self, count, together=8):
        """Connections that log in and leave, so many a second; more at once than its backlog holds wait for TCP."""
        start = time.perf_counter()
        for _ in range(count // together):
            connections = [socket.create_connection(("127.0.0.1", self.port)) for _ in range(together)]
            for connection in connections:
                connection.sendall(self.greeting())
            for connection in connections:
                came = b""
                while b" 001 " not in came:
                    more = connection.recv(4096)
                    if not more:
                        raise Failed(f"ngircd hung up: {came[-200:]!r}")
                    came += more
                connection.close()
        return (count // together * together) / (time.perf_counter() - start)
