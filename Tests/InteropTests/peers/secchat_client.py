"""The other side of DocumentedPeerTests: a secchat client written from docs/protocol.md alone.

One JSON object a line on stdin asks for something: `number`, `do` (a method of Client below) and its arguments. The answer
is one line `{"type": "answer", "number": …}` with the result's fields, or `{"type": "failed", "number": …, "why": …}`.
What happens by itself comes as lines of other types: presence, link, chat, offer, file, received, cancelled, refused, ended.
"""

import json
import os
import socket
import sys
import threading
import time

from documented import examples, files, keys, link, peer, registry
from documented.codec import Malformed
from documented.device_list import SignedDeviceList, account, device, device_list, signed, verdict
from documented.link import REKEY

PRINTING = threading.Lock()


def emit(kind, **fields):
    with PRINTING:
        print(json.dumps({"type": kind, **fields}), flush=True)


def host_port(address):
    host, port = address
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


class Client:
    """One user with one device. Every public method is something to ask for."""

    def __init__(self):
        self.pins, self.links, self.found = {}, {}, {}
        self.registry, self.listener, self.last_link = None, None, 0

    # Identity.

    def examples(self, document):
        """Makes the document's examples."""
        with open(document, encoding="utf-8") as file:
            count, differing = examples.compare(file.read())
        return {"count": count, "differing": differing}

    def identity(self, name, registry_key):
        """Makes an identity and its first device list, for a name at a registry."""
        self.me = keys.Identity.random(int(time.time()))
        self.name, self.registry_key = name, keys.key_from_text(keys.REGISTRY_PREFIX, registry_key)
        self.account = account(self.registry_key, name)
        self.unsigned = device_list(self.me.identity, self.account, 1, bytes(32), [device(self.me)])
        self.list = signed(self.me.seed, self.unsigned)
        return {
            "key": keys.key_text(keys.IDENTITY_PREFIX, self.me.identity),
            "fingerprint": keys.fingerprint(keys.IDENTITY_FINGERPRINT, self.me.identity),
        }

    def safety(self, user):
        pin = self.pins[user]
        return {"digits": keys.safety_number((self.account, self.me.identity), (pin.account, pin.identity))}

    # Registry.

    def inquire(self, host, port):
        return {"key": keys.key_text(keys.REGISTRY_PREFIX, link.inquire(host, port))}

    def connect(self, host, port):
        self.registry = registry.Registry(
            host, port, self.registry_key, self.me,
            lambda name, address: emit("presence", user=name, address=address and host_port(address)),
            lambda error: emit(
                "ended", link=0, how=type(error).__name__.lower(), reason=getattr(error, "reason", None),
                why=str(error)))
        return {}

    def register(self):
        return {"already": self.registry.register(self.list, self.name)}

    def register_as(self, user):
        """Claims the keys of a user that was looked up: the list as it is, and a signature of one's own."""
        return {"already": self.registry.register(self.found[user].bytes, user)}

    def register_elsewhere(self):
        """A REGISTER that was signed for another link."""
        return {"already": self.registry.register(self.list, self.name, handshake_hash=bytes(32))}

    def register_name(self, user):
        """Claims a name with keys of one's own."""
        unsigned = device_list(
            self.me.identity, account(self.registry_key, user), 1, bytes(32), [device(self.me)])
        return {"already": self.registry.register(signed(self.me.seed, unsigned), user)}

    def login(self, port):
        address, life, heartbeat = self.registry.login(self.name, port)
        return {"address": host_port(address), "life": life, "heartbeat": heartbeat}

    def list_online(self):
        return {
            "users": {
                entry["name"]: {
                    "key": keys.key_text(keys.IDENTITY_PREFIX, entry["identity"]),
                    "address": host_port(entry["address"]),
                }
                for entry in self.registry.list()
            }
        }

    def lookup(self, user):
        address, found = self.registry.lookup(user)
        judged = verdict(self.pins.get(user), found, account(self.registry_key, user))
        self.found[user] = found
        if judged not in ("refused", "unexplained"):
            self.pins[user] = found
        return {
            "address": address and host_port(address),
            "key": keys.key_text(keys.IDENTITY_PREFIX, found.identity),
            "fingerprint": keys.fingerprint(keys.IDENTITY_FINGERPRINT, found.identity),
            "verdict": judged,
        }

    def watch(self, users):
        self.registry.watch(users)
        return {}

    def heartbeat(self):
        return {"life": self.registry.heartbeat()}

    def logout(self):
        self.registry.logout()
        return {}

    def leave(self):
        self.registry.close()
        return {}

    # Peers.

    def my_hello(self, forged):
        """HELLO; a forged one has a list that another key signed."""
        return peer.hello(self.me.device, signed(os.urandom(32), self.unsigned) if forged else self.list)

    def judge(self, payload, proved, expected=None):
        """Section 7.1's checks of a HELLO; the list that it brings, pinned."""
        number, theirs = peer.read_hello(payload)
        peer.check_device(number, theirs, proved)
        judged = verdict(self.pins.get(theirs.name), theirs, account(self.registry_key, theirs.name))
        if judged in ("refused", "unexplained"):
            raise Malformed(judged)
        if expected and (theirs.account, number) != expected:
            raise Malformed("somebody else")
        self.pins[theirs.name] = theirs
        return theirs

    def opened(self, found, theirs, initiator, downloads=None, rekey=False):
        self.last_link += 1
        self.links[self.last_link] = peer.Peer(
            found, self.last_link, initiator, theirs, emit, downloads=downloads, rekey=rekey)
        return self.last_link

    def connected(self, user, host, port, forged):
        """A link to the device of a user that was looked up, and the list that it brought."""
        pin = self.pins[user]
        number, keys_of_device = min(pin.devices.items())
        theirs = []
        opened = link.connect(
            host, port, link.peer_prologue(pin.account, number), self.me.link_private, keys_of_device["link"],
            self.my_hello(forged),
            lambda payload: theirs.append(self.judge(payload, keys_of_device["link"], (pin.account, number))))
        return opened, theirs[0]

    def dial(self, user, host, port, downloads=None):
        opened, theirs = self.connected(user, host, port, False)
        return {"link": self.opened(opened, theirs, True, downloads)}

    def dial_forged(self, user, host, port):
        """Says HELLO with a list that another key signed, then only listens: the bytes that came after."""
        opened, _ = self.connected(user, host, port, True)
        wire, before = opened.wire, opened.wire.received
        wire.connection.settimeout(20)
        try:
            while True:
                wire.take(1)
        except link.Cut as error:
            return {"bytes": wire.received - before, "how": type(error).__name__.lower()}
        finally:
            wire.close()

    def listen(self, downloads=None, rekey=False, forged=False):
        """Answers links from now on; the port."""
        if self.listener:
            self.listener.close()
        self.listener = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=self.serve, args=(self.listener, downloads, rekey, forged), daemon=True).start()
        return {"port": self.listener.getsockname()[1]}

    def serve(self, listener, downloads, rekey, forged):
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(
                target=self.answer, args=(connection, downloads, rekey, forged), daemon=True).start()

    def answer(self, connection, downloads, rekey, forged):
        theirs = []
        try:
            opened = link.accept(
                connection, link.peer_prologue(self.account, self.me.device), self.me.link_private,
                self.my_hello(forged), lambda payload, proved: theirs.append(self.judge(payload, proved)))
        except (Malformed, link.Cut) as error:
            emit("refused", how=type(error).__name__.lower(), why=str(error))
            return
        number = self.opened(opened, theirs[0], False, downloads, rekey)
        emit("link", link=number, **{"from": theirs[0].name})

    def chat(self, link, text):
        return {"id": self.links[link].chat(text).hex()}

    def chat_again(self, link, id, text, sent):
        """A CHAT with an id and time that were used before."""
        return {"id": self.links[link].chat(text, bytes.fromhex(id), sent).hex()}

    def send(self, link, paths, digest=True):
        return files.send(self.links[link], paths, digest)

    def ping(self, link):
        self.links[link].ping()
        return {}

    def rekey(self, link):
        self.links[link].link.send(REKEY)
        return {}

    def seen(self, link):
        """How many PING, PONG and REKEY came."""
        return dict(self.links[link].link.seen)

    def spoil(self, link):
        """A frame that does not authenticate."""
        self.links[link].link.wire.put(b"\x00\x11" + bytes(17))
        return {}

    def close(self, link):
        self.links[link].close(0)
        return {}


def main():
    client = Client()
    for line in sys.stdin:
        ask = json.loads(line)
        number, method = ask.pop("number"), ask.pop("do")
        try:
            emit("answer", number=number, **getattr(client, method)(**ask))
        except Exception as error:  # Whatever went wrong is the test's to judge.
            emit("failed", number=number, how=type(error).__name__.lower(), why=str(error))


main()
