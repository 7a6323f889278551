"""Section 6: a client's link to its registry."""

import threading

from . import keys, link, prekeys
from .codec import Malformed, Reader, flag, opaque16, optional, u16, u32, user_name
from .device_list import SignedDeviceList, account

REGISTER, LOGIN, LIST, LOOKUP, HEARTBEAT, LOGOUT, WATCH, PUBLISH, FETCH = range(0x10, 0x19)
REGISTERED, LOGGED_IN, LISTED, FOUND, ALIVE, LOGGED_OUT, WATCHING, PUBLISHED, BUNDLE = range(0x20, 0x29)
FAILURE, PRESENCE, STOCK = 0x2F, 0x30, 0x31

FAILURES = {
    1: "bad request",
    2: "login failed",
    3: "name taken",
    4: "unknown name",
    5: "rate limited",
    6: "not logged in",
    7: "too many",
    8: "unavailable",
    9: "no prekeys",
}


class Failure(Exception):
    """The registry's FAILURE; the text is the reason's name."""


def register(request, signed_list, signature):
    return u32(request) + opaque16(signed_list) + signature


def register_statement(handshake_hash, account, signed_list):
    return handshake_hash + account + opaque16(signed_list)


def login(request, name, device, port):
    return u32(request) + user_name(name) + u32(device) + u16(port)


def list_(request, after=None):
    return u32(request) + optional(None if after is None else user_name(after))


def lookup(request, name):
    return u32(request) + user_name(name)


def watch(request, add, names):
    return u32(request) + flag(add) + u16(len(names)) + b"".join(map(user_name, names))


def reset_statement(handshake_hash, account, device, failed):
    return handshake_hash + account + u32(device) + u32(failed)


def fetch(request, name, device, reset=None):
    """`reset` is (id of a one-time prekey that did not work, signature)."""
    return (
        u32(request) + user_name(name) + u32(device) + optional(None if reset is None else u32(reset[0]) + reset[1]))


def read_listed(reader):
    more, count = reader.flag(), reader.u16()
    if count > 700:
        raise Malformed("count")
    entries = [
        {"name": reader.user_name(), "identity": reader.take(32), "address": reader.network_address()}
        for _ in range(count)
    ]
    return more, entries


def read_found(reader):
    address = reader.optional(reader.network_address)
    return address, SignedDeviceList(reader.opaque16(0, 2002))


READERS = {
    REGISTERED: lambda reader: reader.flag(),
    LOGGED_IN: lambda reader: (reader.network_address(), reader.u32(), reader.u32()),
    LISTED: read_listed,
    FOUND: read_found,
    ALIVE: lambda reader: reader.u32(),
    LOGGED_OUT: lambda reader: None,
    WATCHING: lambda reader: None,
    PUBLISHED: lambda reader: (reader.u32(), reader.u16()),
    BUNDLE: prekeys.Offer,
}


def read_failure(reader):
    reason, wait = reader.choice(FAILURES), reader.u32()
    return reason, wait


def read_presence(body):
    reader = Reader(body)
    name, address = reader.user_name(), reader.optional(reader.network_address)
    reader.end()
    return name, address


def read_stock(body):
    reader = Reader(body)
    left = reader.u16()
    reader.end()
    return left


class Registry:
    """Requests and their answers; `on_presence` and `on_stock` are told what comes unasked, `on_end` why the link ended."""

    def __init__(self, host, port, key, identity, on_presence, on_stock, on_end):
        self.key, self.identity = key, identity
        self.link = link.connect(host, port, link.REGISTRY_PROLOGUE, identity.link_private, key, check=self.no_payload)
        self.on_presence, self.on_stock, self.on_end = on_presence, on_stock, on_end
        self.condition = threading.Condition()
        self.answers, self.ended, self.number = {}, None, 0
        threading.Thread(target=self.read, daemon=True).start()

    @staticmethod
    def no_payload(payload):
        if payload:
            raise Malformed("payload")

    def read(self):
        try:
            while True:
                kind, body = self.link.receive()
                if kind == PRESENCE:
                    self.on_presence(*read_presence(body))
                    continue
                if kind == STOCK:
                    self.on_stock(read_stock(body))
                    continue
                if kind not in READERS and kind != FAILURE:
                    raise Malformed(f"frame type {kind:02x}")
                reader = Reader(body)
                request = reader.u32()
                value = read_failure(reader) if kind == FAILURE else READERS[kind](reader)
                reader.end()
                with self.condition:
                    self.answers[request] = (kind, value)
                    self.condition.notify_all()
        except (link.Closed, link.Cut, Malformed) as error:
            with self.condition:
                self.ended = error
                self.condition.notify_all()
            self.on_end(error)

    def ask(self, kind, encode, answer):
        """Sends a request and waits for its answer."""
        with self.condition:
            self.number += 1
            number = self.number
        self.link.send(kind, encode(number))
        with self.condition:
            if not self.condition.wait_for(lambda: number in self.answers or self.ended, timeout=20):
                raise TimeoutError("no answer")
            if number not in self.answers:
                raise self.ended
            got, value = self.answers.pop(number)
        if got == FAILURE:
            raise Failure(FAILURES[value[0]])
        if got != answer:
            raise Malformed(f"answer {got:02x} to {kind:02x}")
        return value

    def register(self, signed_list, name, seed=None, handshake_hash=None):
        """Whether the name was registered with these keys before."""
        statement = register_statement(
            handshake_hash or self.link.handshake_hash, account(self.key, name), signed_list)
        signature = keys.sign(seed or self.identity.seed, keys.REGISTER, statement)
        return self.ask(REGISTER, lambda number: register(number, signed_list, signature), REGISTERED)

    def login(self, name, port):
        """(address, life, heartbeat)."""
        return self.ask(LOGIN, lambda number: login(number, name, self.identity.device, port), LOGGED_IN)

    def list(self):
        entries, more, after = [], True, None
        while more:
            more, page = self.ask(LIST, lambda number: list_(number, after), LISTED)
            entries += page
            after = page[-1]["name"] if page else None
            more = more and bool(page)
        return entries

    def lookup(self, name):
        """(address or None, SignedDeviceList)."""
        return self.ask(LOOKUP, lambda number: lookup(number, name), FOUND)

    def heartbeat(self):
        return self.ask(HEARTBEAT, u32, ALIVE)

    def logout(self):
        self.ask(LOGOUT, u32, LOGGED_OUT)

    def watch(self, names, add=True):
        self.ask(WATCH, lambda number: watch(number, add, names), WATCHING)

    def publish(self, signed=None, fresh=(), used=(), replace=False):
        """(id of the signed prekey that is there, one-time prekeys that are left)."""
        return self.ask(PUBLISH, lambda number: prekeys.publish(number, replace, signed, used, fresh), PUBLISHED)

    def fetch(self, account, name, device, failed=None):
        """A PrekeyOffer that is not checked yet; `failed` resets a one-time prekey."""
        reset = None
        if failed is not None:
            statement = reset_statement(self.link.handshake_hash, account, device, failed)
            reset = (failed, keys.sign(self.identity.signing_seed, keys.PREKEY_RESET, statement))
        return self.ask(FETCH, lambda number: fetch(number, name, device, reset), BUNDLE)

    def close(self):
        self.link.close()
