"""prosody, an XMPP server, with two accounts; the clients are in xmpp.c."""

import getpass
import os

from harness.processes import free_port, until_listening
from peers.socat import certificate

CONFIGURATION = """
pidfile = "{folder}/pid"
data_path = "{folder}/data"
run_as_root = true
daemonize = false
log = {{ warn = "{folder}/said" }}
interfaces = {{ "127.0.0.1" }}
c2s_ports = {{ }}
c2s_direct_tls_ports = {{ {port} }}
c2s_direct_tls_ssl = {{ key = "{key}", certificate = "{certificate}", protocol = "tlsv1_3" }}
ssl = {{ key = "{key}", certificate = "{certificate}" }}
network_settings = {{ nagle = false }}
modules_enabled = {{ "saslauth", "disco" }}
modules_disabled = {{ "s2s", "s2s_auth_certs", "offline" }}
authentication = "internal_plain"
VirtualHost "localhost"
"""


class Prosody:
    def __init__(self, scope, programs):
        self.programs = programs
        folder = scope.folder()
        self.port = free_port()
        made, key = certificate(folder)
        accounts = os.path.join(folder, "data/localhost/accounts")
        os.makedirs(accounts)
        for name in ("alice", "bob"):
            with open(os.path.join(accounts, name + ".dat"), "w") as account:
                account.write('return { ["password"] = "not a secret" };\n')
        configuration = os.path.join(folder, "prosody.cfg.lua")
        with open(configuration, "w") as file:
            file.write(CONFIGURATION.format(folder=folder, port=self.port, key=key, certificate=made))
        server = scope.start(["prosody", "-F", "--config", configuration], os.path.join(folder, "log"))
        until_listening(self.port, f"prosody as {getpass.getuser()}", server)

    def there_and_back(self, rounds, size):
        found = self.programs.limit("xmpp", self.port, rounds, size, 1)
        return {"median": found["round-trip"], "p99": found["round-trip-p99"]}

    def under_way(self, messages, size, window):
        return {"rate": self.programs.limit("xmpp", self.port, messages, size, window)["rate"]}
