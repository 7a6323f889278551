"""Sections 13.3 and 13.5: what is sealed, and what it is sealed in."""

from . import keys
from .codec import Malformed, Reader, opaque16, optional, u8, u32, u64, utf8
from .ratchet import NONCE, Header

VERSION = 1
TEXT, READ = 1, 2
BUCKET = 256
MOST_TEXT = 32_768
MOST_CONTENT = 33_024
TAG = 16


def party(account, identity, device, messaging):
    return account + identity + u32(device) + messaging


def binding(initiator, responder, initiation):
    """The associated data of a session, by two encoded Parties; its first 16 bytes name the session."""
    return keys.digest(keys.RATCHET_SESSION, u8(VERSION) + initiator + responder + initiation.bytes)


class Initiation:
    def __init__(self, ephemeral, signed, one_time):
        self.ephemeral, self.signed, self.one_time = ephemeral, signed, one_time
        self.bytes = ephemeral + u32(signed) + optional(None if one_time is None else u32(one_time)) + u8(0)

    @classmethod
    def read(cls, reader):
        initiation = cls(reader.take(32), reader.u32(), reader.optional(reader.u32))
        reader.choice((0,))
        return initiation


def before_sealed(session, initiation, header):
    """The Envelope up to and without `sealed`."""
    return u8(VERSION) + session + optional(initiation and initiation.bytes) + header.bytes


class Envelope:
    def __init__(self, session, initiation, header, sealed):
        self.session, self.initiation, self.header, self.sealed = session, initiation, header, sealed
        self.before = before_sealed(session, initiation, header)
        self.bytes = self.before + sealed

    @classmethod
    def read(cls, reader):
        reader.choice((VERSION,))
        session = reader.take(16)
        initiation = Initiation.read(reader) if reader.flag() else None
        header = Header.read(reader)
        sealed = reader.rest()
        size = len(sealed) - NONCE - TAG
        if size % BUCKET or not BUCKET <= size <= MOST_CONTENT:
            raise Malformed("length of an envelope")
        return cls(session, initiation, header, sealed)


class Message:
    """What is said: `text`, or the ids of messages that were read."""

    def __init__(self, identifier, sent, text=None, ids=None, expires=0):
        self.id, self.sent, self.text, self.ids, self.expires = identifier, sent, text, ids, expires

    @property
    def bytes(self):
        head = self.id + u64(self.sent) + u32(self.expires)
        if self.ids is None:
            return head + u8(TEXT) + opaque16(self.text.encode())
        return head + u8(READ) + u8(len(self.ids)) + b"".join(self.ids)

    @classmethod
    def read(cls, reader):
        identifier, sent, expires = reader.take(16), reader.u64(), reader.u32()
        if reader.choice((TEXT, READ)) == TEXT:
            return cls(identifier, sent, text=utf8(reader.opaque16(1, MOST_TEXT)), expires=expires)
        count = reader.choice(range(1, 65))
        return cls(identifier, sent, ids=[reader.take(16) for _ in range(count)], expires=expires)


def content(sequence, previous, message):
    data = u64(sequence) + previous + message.bytes
    return data + bytes(-len(data) % BUCKET)


def chained(encoded):
    """What the next Content names as the one before."""
    return keys.digest(keys.MESSAGE_CHAIN, encoded)


def read_content(data):
    """(sequence, previous, Message)."""
    reader = Reader(data)
    sequence, previous, message = reader.u64(), reader.take(32), Message.read(reader)
    if sequence == 0 or content(sequence, previous, message) != data:
        raise Malformed("content")
    return sequence, previous, message
