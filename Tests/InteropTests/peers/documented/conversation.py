"""Sections 7.2, 7.3 and 13: the messages that one exchanges with one account, over whatever links."""

import os
import threading
import time

from . import correspondence, peer, registry, sealed
from .codec import Malformed
from .ratchet import Undecryptable

DECLINED, BUSY, UNDECRYPTABLE, UNKNOWN_PREKEY, OUT_OF_TURN = 1, 4, 5, 6, 7
SESSIONS_IN_A_ROW = 4


class Conversation:
    """With one device of an account. `client` has the prekeys, the registry and the pins; `emit` is told what happens."""

    def __init__(self, client, name, device, emit):
        self.client, self.name, self.device, self.emit = client, name, device, emit
        # Of the correspondence and of `known`.
        self.lock = threading.RLock()
        self.known, self.waiting = set(), []
        # Ids of one-time prekeys: what one was given last, and whether that did not work.
        self.given = self.failed = None
        self.forget()

    def forget(self):
        """Begins with nothing, as if the state were lost; what came is still known."""
        pin = self.client.pins[self.name]
        messaging = pin.devices[self.device]["messaging"]
        self.correspondence = correspondence.Correspondence(
            self.client.me, self.client.party, sealed.party(pin.account, pin.identity, self.device, messaging),
            pin.identity, messaging)

    # What comes.

    def take(self, over, identifier, envelope):
        """Opens a CHAT; 0, or the reason of a REFUSE."""
        with self.lock:
            if identifier in self.known:
                self.emit("known", link=over.number, id=identifier.hex())
                return 0
            if not over.is_turn:
                return OUT_OF_TURN
            try:
                message, begun, news = self.correspondence.open(
                    envelope, lambda initiation: self.client.prekeys.secrets(initiation, over.handed))
            except Undecryptable:
                return UNDECRYPTABLE
            except correspondence.UnknownPrekey:
                return UNKNOWN_PREKEY
            except Malformed:
                return DECLINED
            if message.id != identifier:
                return DECLINED
            self.known.add(identifier)
        if begun:
            self.client.prekeys.use(begun)
            over.handed = None
        told = {
            "link": over.number, "id": identifier.hex(), "sent": message.sent, "from": self.name,
            "session": envelope.session.hex(), "begins": begun is not None,
            "one_time": begun and begun.one_time, "news": news,
        }
        if message.ids is None:
            self.emit("chat", text=message.text, **told)
        else:
            self.emit("read", ids=[one.hex() for one in message.ids], **told)
        return 0

    # What goes.

    def write(self, **body):
        message = sealed.Message(os.urandom(16), int(time.time() * 1000), **body)
        self.waiting.append(message)
        return message

    def deliver(self, over, sent=lambda: None):
        """Sends over a link what waits, in order, and until all is confirmed. `sent` is told of each CHAT that went out."""
        for _ in range(SESSIONS_IN_A_ROW):
            refusal = self.send_all(over, sent)
            if refusal is None:
                return
            envelope, reason = refusal
            if reason == OUT_OF_TURN:
                continue
            if reason == DECLINED:
                self.waiting.pop(0)
            if reason not in (UNDECRYPTABLE, UNKNOWN_PREKEY):
                raise peer.Refused(peer.REFUSALS[reason])
            self.emit("refusal", link=over.number, reason=peer.REFUSALS[reason])
            if reason == UNKNOWN_PREKEY:
                self.failed = self.given
            with self.lock:
                self.correspondence.refused(envelope.session)
        raise peer.Refused(peer.REFUSALS[reason])

    def send_all(self, over, sent):
        """None where all is confirmed, else (Envelope, reason) of the first refusal, once nothing is on its way."""
        with self.lock:
            self.correspondence.rewind()
        unsent, on_way, refusal = list(self.waiting), [], None
        while unsent or on_way:
            if unsent and refusal is None and (not on_way or over.has_credit(0, 1)):
                message = unsent.pop(0)
                envelope, place = self.seal(message, over)
                over.wait_credit(0, 1)
                over.send_chat(message.id, not on_way, envelope)
                on_way.append((message, envelope, place))
                sent()
                continue
            message, envelope, place = on_way.pop(0)
            reason = over.answer(message.id)
            if reason is not None:
                refusal = refusal or (envelope, reason)
                unsent = []
            elif refusal is None:
                with self.lock:
                    self.last = (message, self.correspondence.confirmed)
                    self.correspondence.confirm(place)
                self.waiting.remove(message)
        return refusal

    def again(self):
        """The last message that was confirmed is not, as if its ACK had been lost."""
        message, before = self.last
        with self.lock:
            self.correspondence.confirmed = before
        self.waiting.insert(0, message)
        return message

    def seal(self, message, over):
        if self.correspondence.needs_prekeys:
            self.begin(over)
        with self.lock:
            return self.correspondence.seal(message)

    def send_one(self, over):
        """Sends the first message that waits, and does not wait for the answer."""
        with self.lock:
            self.correspondence.rewind()
        over.send_chat(self.waiting[0].id, True, self.seal(self.waiting[0], over)[0])

    def begin(self, over, wrongly=False):
        """Begins a session with the registry's prekeys; where that has none, with the peer's own word. `wrongly` names the
        one-time prekey by another id."""
        pin = self.client.pins[self.name]
        failed, self.failed = self.failed, None
        try:
            if self.client.registry is None or self.client.asks_peers:
                raise registry.Failure("no prekeys")
            offer, by = self.client.registry.fetch(pin.account, self.name, self.device, failed), "registry"
        except registry.Failure:
            offer, by = over.inquire(), "peer"
        offer.signed.check(pin.account, self.device, pin.devices[self.device]["signing"], int(time.time()))
        self.given = offer.one_time and offer.one_time[0]
        self.emit("begins", by=by, one_time=self.given, failed=failed)
        one_time = (self.given ^ 1 << 31, offer.one_time[1]) if wrongly else offer.one_time
        with self.lock:
            self.correspondence.begin(offer.signed, one_time)
