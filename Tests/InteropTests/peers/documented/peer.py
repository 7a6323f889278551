"""Section 7: a link to a peer, with HELLO, CHAT, ACK, REFUSE, READY, INQUIRE and PREKEYS."""

import threading
import time

from . import files, link
from .codec import Malformed, Reader, flag, opaque16, u8, u32, u64
from .device_list import SignedDeviceList
from .prekeys import Offer
from .sealed import Envelope

READY, CHAT, ACK, REFUSE, INQUIRE, PREKEYS = range(0x40, 0x46)
CHAT_CREDIT = 256
REFUSALS = {
    1: "declined",
    2: "unanswered",
    3: "no room",
    4: "busy",
    5: "undecryptable",
    6: "unknown prekey",
    7: "out of turn",
}


class Refused(Exception):
    """The other side's REFUSE or CANCEL; the text is the reason's name."""


def hello(device, signed_list):
    return u32(device) + opaque16(signed_list)


def read_hello(payload):
    """(device, SignedDeviceList), the list's signature verified."""
    reader = Reader(payload)
    device, signed_list = reader.u32(), reader.opaque16(0, 2002)
    reader.end()
    return device, SignedDeviceList(signed_list)


def check_device(device, signed_list, proved):
    if device not in signed_list.devices or signed_list.devices[device]["link"] != proved:
        raise Malformed("device")


def chat(identifier, first, envelope):
    return identifier + flag(first) + envelope.bytes


def read_chat(body):
    """(id, first, Envelope)."""
    reader = Reader(body)
    return reader.take(16), reader.flag(), Envelope.read(reader)


def ack(identifier, part):
    return identifier + u32(part)


def refuse(identifier, reason):
    return identifier + u8(reason)


def ready(stream, limit):
    return u32(stream) + u64(limit)


class Peer:
    """An open link to a peer. `emit` is told of what comes: (type, fields); `take_message` opens an envelope, and `prekeys`
    are one's own."""

    def __init__(self, opened, number, initiator, theirs, emit, take_message, prekeys, downloads=None, rekey=False, hold=False):
        self.link, self.number, self.initiator = opened, number, initiator
        self.theirs, self.emit, self.take_message, self.prekeys = theirs, emit, take_message, prekeys
        self.condition = threading.Condition()
        self.limits, self.sent, self.handled = {}, {0: 0}, 0
        self.granted = CHAT_CREDIT
        self.acknowledged, self.refused, self.accepted, self.cancelled = set(), {}, set(), {}
        self.ended, self.offered = None, None
        # Whether nothing was refused that its sender has not heard of.
        self.is_turn = True
        # The one-time prekey that was handed out over this link: (id, private key).
        self.handed = None
        # CHATs that are not looked at yet; None where they are at once.
        self.held = [] if hold else None
        # What is done instead of confirming the next CHAT.
        self.instead = None
        self.last_stream = -1 if initiator else 0
        self.incoming = files.Incoming(self, downloads)
        self.link.send(READY, ready(0, CHAT_CREDIT))
        if rekey:
            self.link.send(link.REKEY)
        threading.Thread(target=self.read, daemon=True).start()

    # What comes.

    def read(self):
        try:
            while True:
                self.take(*self.link.receive())
        except (link.Closed, link.Cut, Malformed) as error:
            self.incoming.abandon()
            with self.condition:
                self.ended = error
                self.condition.notify_all()
            if isinstance(error, Malformed):
                self.link.close(link.PROTOCOL_ERROR)
            how = "own" if self.link.closing else type(error).__name__.lower()
            self.emit(
                "ended", link=self.number, how=how, reason=getattr(error, "reason", None), why=str(error))

    def take(self, kind, body):
        if kind == CHAT:
            return self.take_chat(body)
        if kind in files.FROM_SENDER:
            return self.incoming.take(kind, body)
        reader = Reader(body)
        with self.condition:
            if kind == READY:
                stream, limit = reader.u32(), reader.u64()
                self.limits[stream] = max(limit, self.limits.get(stream, 0))
            elif kind == ACK:
                self.acknowledged.add((reader.take(16), reader.u32()))
            elif kind == REFUSE:
                identifier = reader.take(16)
                self.refused[identifier] = reader.choice(REFUSALS)
            elif kind == INQUIRE:
                offer, number, private = self.prekeys.handed()
                self.handed = (number, private)
                self.link.send(PREKEYS, offer)
                self.emit("inquired", link=self.number, one_time=number)
            elif kind == PREKEYS:
                self.offered = Offer(reader)
            elif kind == files.ACCEPT:
                self.accepted.add(reader.u32())
                # An id is offered once by this program: nothing can be held.
                if reader.flag():
                    raise Malformed("held")
            elif kind == files.CANCEL:
                stream, reason = reader.u32(), reader.choice(files.CANCELS)
                if stream % 2 != (1 if self.initiator else 0):
                    self.incoming.cancelled(stream)
                elif stream not in self.cancelled:
                    self.cancelled[stream] = files.CANCELS[reason]
                    self.link.send(files.CANCEL, files.cancel(stream, files.STOPPED))
            else:
                raise Malformed(f"frame type {kind:02x}")
            reader.end()
            self.condition.notify_all()

    def take_chat(self, body):
        with self.condition:
            if self.held is None:
                return self.open_chat(*read_chat(body))
            self.held.append(read_chat(body))
            self.condition.notify_all()

    def release(self):
        """Looks at the CHATs that were held."""
        with self.condition:
            held, self.held = self.held, None
            for one in held or []:
                self.open_chat(*one)

    def open_chat(self, identifier, first, envelope):
        self.handled += 1
        if self.handled > self.granted:
            raise Malformed("beyond the credit")
        self.is_turn = self.is_turn or first
        reason = self.take_message(self, identifier, envelope)
        if self.instead:
            return self.instead()
        if reason:
            self.is_turn = False
            self.emit("refuses", link=self.number, id=identifier.hex(), reason=REFUSALS[reason])
            self.link.send(REFUSE, refuse(identifier, reason))
        else:
            self.link.send(ACK, ack(identifier, 0))
        if self.granted - self.handled <= CHAT_CREDIT // 2:
            self.granted = self.handled + CHAT_CREDIT
            self.link.send(READY, ready(0, self.granted))

    # What goes.

    def wait(self, condition, what, seconds=20):
        with self.condition:
            if not self.condition.wait_for(lambda: condition() or self.ended, timeout=seconds):
                raise TimeoutError(f"no {what}")
            if not condition():
                raise self.ended

    def wait_credit(self, stream, amount):
        """Takes `amount` from the credit of a stream as soon as it is there."""
        self.wait(
            lambda: self.has_credit(stream, amount) or stream in self.cancelled,
            f"READY for stream {stream}")
        if stream in self.cancelled:
            raise Refused(self.cancelled[stream])
        self.sent[stream] += amount

    def has_credit(self, stream, amount):
        return self.limits.get(stream, 0) >= self.sent[stream] + amount

    def send_chat(self, identifier, first, envelope):
        with self.condition:
            self.acknowledged.discard((identifier, 0))
            self.refused.pop(identifier, None)
        self.link.send(CHAT, chat(identifier, first, envelope))

    def answer(self, identifier):
        """Waits for the answer to a CHAT: None for ACK, else the reason of REFUSE."""
        self.wait(lambda: (identifier, 0) in self.acknowledged or identifier in self.refused, "ACK")
        return self.refused.get(identifier)

    def inquire(self):
        """The peer's own word on its prekeys, not checked yet."""
        with self.condition:
            self.offered = None
        self.link.send(INQUIRE)
        self.wait(lambda: self.offered, "PREKEYS")
        return self.offered

    def cut(self):
        """Ends the connection without a word."""
        self.link.closing = True
        self.link.wire.close()

    def ping(self):
        before = self.link.seen["pong"]
        self.link.send(link.PING)
        deadline = time.monotonic() + 20
        while self.link.seen["pong"] == before:
            if self.ended:
                raise self.ended
            if time.monotonic() > deadline:
                raise TimeoutError("no PONG")
            time.sleep(0.01)

    def new_stream(self):
        self.last_stream += 2
        self.sent[self.last_stream] = 0
        return self.last_stream

    def close(self, reason):
        self.link.close(reason)
