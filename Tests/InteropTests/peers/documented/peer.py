"""Section 7: a link to a peer, with HELLO, CHAT, ACK, REFUSE and READY."""

import os
import threading
import time

from . import files, link
from .codec import Malformed, Reader, opaque16, u8, u32, u64, utf8
from .device_list import SignedDeviceList

READY, CHAT, ACK, REFUSE = range(0x40, 0x44)
MOST_TEXT = 32_768
BUCKET = 256
CHAT_CREDIT = 256
REFUSALS = {1: "declined", 2: "unanswered", 3: "no room", 4: "busy"}


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


def chat(identifier, sent, text):
    assert len(identifier) == 16 and len(text) <= MOST_TEXT
    return u8(0) + identifier + u64(sent) + opaque16(text) + bytes(-(2 + len(text)) % BUCKET)


def read_chat(body):
    """(id, time in milliseconds, text)."""
    reader = Reader(body)
    if reader.u8() != 0:
        raise Malformed("envelope")
    identifier, sent, text = reader.take(16), reader.u64(), reader.opaque16(0, MOST_TEXT)
    padding = reader.rest()
    if padding != bytes(-(2 + len(text)) % BUCKET):
        raise Malformed("padding")
    return identifier, sent, utf8(text)


def ack(identifier, part):
    return identifier + u32(part)


def refuse(identifier, reason):
    return identifier + u8(reason)


def ready(stream, limit):
    return u32(stream) + u64(limit)


class Peer:
    """An open link to a peer. `emit` is told of what comes: (type, fields)."""

    def __init__(self, opened, number, initiator, theirs, emit, downloads=None, rekey=False):
        self.link, self.number, self.initiator = opened, number, initiator
        self.theirs, self.emit = theirs, emit
        self.condition = threading.Condition()
        self.limits, self.sent, self.handled = {}, {0: 0}, 0
        self.granted = CHAT_CREDIT
        self.acknowledged, self.refused, self.accepted, self.cancelled = set(), {}, set(), {}
        self.shown, self.ended = set(), None
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
                self.refused[identifier] = REFUSALS[reader.choice(REFUSALS)]
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
        identifier, sent, text = read_chat(body)
        self.handled += 1
        if self.handled > self.granted:
            raise Malformed("beyond the credit")
        first = identifier not in self.shown
        self.shown.add(identifier)
        if first:
            self.emit("chat", link=self.number, id=identifier.hex(), sent=sent, text=text, **{"from": self.theirs.name})
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
            lambda: self.limits.get(stream, 0) >= self.sent[stream] + amount or stream in self.cancelled,
            f"READY for stream {stream}")
        if stream in self.cancelled:
            raise Refused(self.cancelled[stream])
        self.sent[stream] += amount

    def chat(self, text, identifier=None, sent=None):
        """Sends a CHAT and waits for its ACK; the id."""
        identifier = identifier or os.urandom(16)
        self.wait_credit(0, 1)
        with self.condition:
            self.acknowledged.discard((identifier, 0))
        self.link.send(CHAT, chat(identifier, sent or int(time.time() * 1000), text.encode()))
        self.wait(lambda: (identifier, 0) in self.acknowledged or identifier in self.refused, "ACK")
        if identifier in self.refused:
            raise Refused(self.refused[identifier])
        return identifier

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
