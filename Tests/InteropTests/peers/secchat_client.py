"""The other side of DocumentedPeerTests: a secchat client written from docs/protocol.md alone.

One JSON object a line on stdin asks for something: `number`, `do` (a method of Client below) and its arguments. The answer
is one line `{"type": "answer", "number": …}` with the result's fields, or `{"type": "failed", "number": …, "why": …}`.
What happens by itself comes as lines of other types: presence, stock, link, chat, read, known, refuses, refusal, begins,
inquired, offer, file, received, cancelled, refused, ended.
"""

import json
import os
import socket
import sys
import threading
import time

from documented import examples, files, keys, link, peer, prekeys, registry, sealed
from documented.codec import Malformed
from documented.conversation import Conversation
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
        self.pins, self.links, self.found, self.conversations = {}, {}, {}, {}
        # Serialises the making of conversations.
        self.making = threading.Lock()
        # Whether prekeys are asked of peers, whatever the registry has.
        self.asks_peers = False
        self.registry, self.listener, self.last_link = None, None, 0

    # Identity.

    def examples(self, document):
        """Makes the document's examples."""
        with open(document, encoding="utf-8") as file:
            count, differing = examples.compare(file.read())
        return {"count": count, "differing": differing}

    def identity(self, name, registry_key, below=None, above=None):
        """Makes an identity and its first device list, for a name at a registry; where asked, with an identity key below or
        above another one's."""
        self.me = keys.Identity.random(int(time.time()))
        least = keys.key_from_text(keys.IDENTITY_PREFIX, above) if above else bytes(32)
        most = keys.key_from_text(keys.IDENTITY_PREFIX, below) if below else b"\xff" * 32
        while not least < self.me.identity < most:
            self.me = keys.Identity.random(int(time.time()))
        self.name, self.registry_key = name, keys.key_from_text(keys.REGISTRY_PREFIX, registry_key)
        self.account = account(self.registry_key, name)
        self.unsigned = device_list(self.me.identity, self.account, 1, bytes(32), [device(self.me)])
        self.list = signed(self.me.seed, self.unsigned)
        self.party = sealed.party(self.account, self.me.identity, self.me.device, self.me.messaging)
        self.prekeys = prekeys.Keeper(self.me, self.account)
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
            lambda left: emit("stock", left=left),
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

    def publish(self, count=0, signed=False, replace=False):
        """Reports what was used, and leaves so many one-time prekeys at the registry."""
        used, self.prekeys.used = self.prekeys.used, []
        number, left = self.registry.publish(
            self.prekeys.current.bytes if signed else None, self.prekeys.make(count), used, replace)
        return {"signed": number == self.prekeys.current.number, "left": left, "used": len(used)}

    def fetch(self, user):
        """The registry's prekeys of a user that was looked up, checked."""
        pin = self.pins[user]
        number, keys_of_device = min(pin.devices.items())
        offer = self.registry.fetch(pin.account, user, number)
        offer.signed.check(pin.account, number, keys_of_device["signing"], int(time.time()))
        return {"signed": offer.signed.number, "one_time": offer.one_time and offer.one_time[0]}

    def lose_prekeys(self):
        """Forgets the private halves of all prekeys that others may have."""
        self.prekeys.lose()
        return {}

    def ask_peers(self, only=True):
        """Whether prekeys are asked of peers, and not of the registry."""
        self.asks_peers = only
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

    def opened(self, found, theirs, initiator, downloads=None, rekey=False, hold=False):
        self.last_link += 1
        self.links[self.last_link] = peer.Peer(
            found, self.last_link, initiator, theirs, emit, self.conversation(theirs.name).take, self.prekeys,
            downloads=downloads, rekey=rekey, hold=hold)
        return self.last_link

    def conversation(self, user):
        with self.making:
            if user not in self.conversations:
                self.conversations[user] = Conversation(self, user, min(self.pins[user].devices), emit)
            return self.conversations[user]

    def over(self, link):
        """A link, and the conversation that goes over it."""
        return self.links[link], self.conversation(self.links[link].theirs.name)

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

    def listen(self, downloads=None, rekey=False, forged=False, hold=False):
        """Answers links from now on; the port."""
        if self.listener:
            self.listener.close()
        self.listener = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=self.serve, args=(self.listener, downloads, rekey, forged, hold), daemon=True).start()
        return {"port": self.listener.getsockname()[1]}

    def serve(self, listener, downloads, rekey, forged, hold):
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(
                target=self.answer, args=(connection, downloads, rekey, forged, hold), daemon=True).start()

    def answer(self, connection, downloads, rekey, forged, hold):
        theirs = []
        try:
            opened = link.accept(
                connection, link.peer_prologue(self.account, self.me.device), self.me.link_private,
                self.my_hello(forged), lambda payload, proved: theirs.append(self.judge(payload, proved)))
        except (Malformed, link.Cut) as error:
            emit("refused", how=type(error).__name__.lower(), why=str(error))
            return
        number = self.opened(opened, theirs[0], False, downloads, rekey, hold)
        emit("link", link=number, **{"from": theirs[0].name})

    # Messages.

    def chat(self, link, text):
        over, conversation = self.over(link)
        message = conversation.write(text=text)
        conversation.deliver(over)
        return {"id": message.id.hex()}

    def chat_again(self, link):
        """The last CHAT once more, with its id, as if its ACK had been lost."""
        over, conversation = self.over(link)
        message = conversation.again()
        conversation.deliver(over)
        return {"id": message.id.hex()}

    def chats(self, link, texts):
        """Several, of which each is sent before the one before is confirmed."""
        over, conversation = self.over(link)
        messages = [conversation.write(text=text) for text in texts]
        conversation.deliver(over)
        return {"ids": [message.id.hex() for message in messages]}

    def read(self, link, ids):
        """Says that a person has seen messages."""
        over, conversation = self.over(link)
        conversation.write(ids=[bytes.fromhex(one) for one in ids])
        conversation.deliver(over)
        return {}

    def chat_unconfirmed(self, link, text):
        """Sends a CHAT and waits for nothing: it is sent again by `deliver`."""
        over, conversation = self.over(link)
        message = conversation.write(text=text)
        conversation.send_one(over)
        return {"id": message.id.hex()}

    def deliver(self, link):
        """Sends what was not confirmed, by the ids that it has."""
        over, conversation = self.over(link)
        conversation.deliver(over)
        return {"waiting": len(conversation.waiting)}

    def hold(self, link):
        """Looks at no CHAT of a link until `release` or `chat_at_once`."""
        over = self.links[link]
        with over.condition:
            over.held = []
        return {}

    def release(self, link, count):
        """Looks at what was held once so many CHATs have come."""
        over = self.links[link]
        over.wait(lambda: len(over.held) >= count, f"{count} CHATs")
        over.release()
        return {}

    def chat_at_once(self, link, text):
        """Waits until a CHAT of the other side has come, and looks at it only after this one has been sealed and sent."""
        over, conversation = self.over(link)
        over.wait(lambda: over.held, "CHAT")
        message = conversation.write(text=text)
        conversation.deliver(over, sent=over.release)
        return {"id": message.id.hex()}

    def forget(self, user, places=True):
        """Loses the sessions with a user; where asked, also how many messages there were."""
        conversation = self.conversation(user)
        with conversation.lock:
            if places:
                conversation.forget()
            else:
                conversation.correspondence.sessions = []
        return {}

    def session(self, user):
        """The session in which the next message goes."""
        conversation = self.conversation(user)
        with conversation.lock:
            sessions = conversation.correspondence.sessions
            return {"session": sessions[0].name.hex(), "ours": sessions[0].ours, "count": len(sessions)}

    def begin_wrongly(self, link, how):
        """Begins a session that the other side cannot have: of a one-time prekey that is none, or without saying how."""
        over, conversation = self.over(link)
        conversation.begin(over, wrongly=how == "prekey")
        if how == "silently":
            conversation.correspondence.sessions[0].initiation = None
        return {}

    def cut_instead(self, link):
        """Keeps the next CHAT and does not confirm it: the connection ends without a word."""
        self.links[link].instead = self.links[link].cut
        return {}

    def cut(self, link):
        self.links[link].cut()
        return {}

    # Files, and the link itself.

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
