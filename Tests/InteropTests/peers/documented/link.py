"""Section 5: opening, prologue, handshake, frames, PING, REKEY, CLOSE."""

import socket
import threading
import time

from noise.connection import Keypair, NoiseConnection

from .codec import Malformed, Reader, opaque16, u8, u16, u32

XK = b"\x01"
NX = b"\x02"
PING, PONG, REKEY, CLOSE = 0x01, 0x02, 0x03, 0x04
DONE, GOING_AWAY, REPLACED, IDLE, PROTOCOL_ERROR = range(5)
HANDSHAKE_SECONDS = 10
MOST_PLAINTEXT = 65_519
MOST_FRAMES = 2**16
MOST_BYTES = 2**30


class Closed(Exception):
    """The other side said CLOSE."""

    def __init__(self, reason):
        super().__init__(f"CLOSE({reason})")
        self.reason = reason


class Cut(Exception):
    """The connection ended without CLOSE."""


class Late(Cut):
    """What was waited for did not come in time."""


def prologue(purpose, name=b"", device=0):
    return opaque16(b"secchat") + u8(1) + opaque16(purpose) + opaque16(name) + u32(device)


REGISTRY_PROLOGUE = prologue(b"registry")


def peer_prologue(account, device):
    return prologue(b"peer", account, device)


def noise(pattern, initiator, hashed, private=None, remote=None, ephemeral=None):
    state = NoiseConnection.from_name(f"Noise_{pattern}_25519_ChaChaPoly_SHA256".encode())
    state.set_prologue(hashed)
    for kind, key in ((Keypair.STATIC, private), (Keypair.EPHEMERAL, ephemeral)):
        if key:
            state.set_keypair_from_private_bytes(kind, key)
    if remote:
        state.set_keypair_from_public_bytes(Keypair.REMOTE_STATIC, remote)
    state.set_as_initiator() if initiator else state.set_as_responder()
    state.start_handshake()
    return state


class Wire:
    """The bytes of a connection, under one deadline while the handshake lasts."""

    def __init__(self, connection):
        self.connection = connection
        self.deadline = time.monotonic() + HANDSHAKE_SECONDS
        self.received = 0

    def take(self, count):
        data = bytearray()
        while len(data) < count:
            if self.deadline is not None:
                self.connection.settimeout(max(self.deadline - time.monotonic(), 0.001))
            try:
                more = self.connection.recv(count - len(data))
            except TimeoutError as error:
                raise Late(f"nothing after {self.received} bytes") from error
            except OSError as error:
                raise Cut(str(error)) from error
            if not more:
                raise Cut(f"end after {self.received} bytes")
            self.received += len(more)
            data += more
        return bytes(data)

    def put(self, data):
        try:
            self.connection.sendall(data)
        except OSError as error:
            raise Cut(str(error)) from error

    def take_handshake(self):
        length = int.from_bytes(self.take(2), "big")
        if length > 4096:
            raise Malformed("handshake message")
        return self.take(length)

    def put_handshake(self, message, before=b""):
        self.put(before + u16(len(message)) + message)

    def open(self):
        """The handshake is over."""
        self.deadline = None
        self.connection.settimeout(None)

    def close(self):
        try:
            self.connection.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.connection.close()


def read_message(state, message):
    """The payload; every way in which a message can be wrong is Malformed."""
    try:
        return bytes(state.read_message(message))
    except Exception as error:
        raise Malformed(f"handshake: {type(error).__name__}") from error


def inquire(host, port):
    """Section 5.6: the key that a registry proves to have."""
    with socket.create_connection((host, port), timeout=HANDSHAKE_SECONDS) as connection:
        wire = Wire(connection)
        state = noise("NX", True, REGISTRY_PROLOGUE)
        wire.put_handshake(bytes(state.write_message()), NX)
        handshake = state.noise_protocol.handshake_state
        if read_message(state, wire.take_handshake()) != b"":
            raise Malformed("payload")
        return bytes(handshake.rs.public_bytes)


def connect(host, port, hashed, private, remote, hello=b"", check=lambda payload: None):
    """A link as its initiator. `check` judges the payload of message 2 before message 3 goes out."""
    wire = Wire(socket.create_connection((host, port), timeout=HANDSHAKE_SECONDS))
    try:
        state = noise("XK", True, hashed, private, remote)
        wire.put_handshake(bytes(state.write_message()), XK)
        check(read_message(state, wire.take_handshake()))
        wire.put_handshake(bytes(state.write_message(hello)))
        wire.open()
        return Link(wire, state, remote)
    except BaseException:
        wire.close()
        raise


def accept(connection, hashed, private, hello, check):
    """A link as its responder. `check` judges message 3: its payload and the key that it proved."""
    wire = Wire(connection)
    try:
        if wire.take(1) != XK:
            raise Malformed("opening byte")
        state = noise("XK", False, hashed, private)
        if read_message(state, wire.take_handshake()) != b"":
            raise Malformed("payload")
        wire.put_handshake(bytes(state.write_message(hello)))
        handshake = state.noise_protocol.handshake_state
        payload = read_message(state, wire.take_handshake())
        remote = bytes(handshake.rs.public_bytes)
        check(payload, remote)
        wire.open()
        return Link(wire, state, remote)
    except BaseException:
        wire.close()
        raise


class Meter:
    """What one direction carried since its last REKEY."""

    def __init__(self):
        self.frames = self.bytes = 0

    def count(self, size):
        self.frames += 1
        self.bytes += size
        return self.frames <= MOST_FRAMES and self.bytes <= MOST_BYTES

    def needs_rekey(self, size):
        return self.frames + 2 > MOST_FRAMES or self.bytes + size + 1 > MOST_BYTES


class Link:
    """An open link. One thread calls `receive`; any may call `send`. `seen` counts what came."""

    def __init__(self, wire, state, remote):
        self.wire, self.state, self.remote = wire, state, remote
        self.handshake_hash = bytes(state.get_handshake_hash())
        self.sending, self.receiving = Meter(), Meter()
        self.lock = threading.Lock()
        self.seen = {"ping": 0, "pong": 0, "rekey": 0}
        self.closing = False

    def send(self, kind, body=b""):
        size = 1 + len(body)
        assert size <= MOST_PLAINTEXT
        with self.lock:
            if kind != REKEY and self.sending.needs_rekey(size):
                self.seal(REKEY, b"")
            self.seal(kind, body)

    def seal(self, kind, body):
        message = bytes(self.state.encrypt(u8(kind) + body))
        self.wire.put(u16(len(message)) + message)
        self.sending.count(1 + len(body))
        if kind == REKEY:
            self.state.rekey_outbound_cipher()
            self.sending = Meter()

    def receive(self):
        """The next frame but PING, PONG and REKEY: (type, body)."""
        while True:
            length = int.from_bytes(self.wire.take(2), "big")
            if length < 17:
                raise Malformed("frame")
            try:
                plaintext = bytes(self.state.decrypt(self.wire.take(length)))
            except Cut:
                raise
            except Exception as error:
                raise Malformed("frame does not authenticate") from error
            if not self.receiving.count(len(plaintext)):
                raise Malformed("REKEY is overdue")
            kind, body = plaintext[0], plaintext[1:]
            if kind in (PING, PONG, REKEY) and body:
                raise Malformed("body")
            if kind == PING:
                self.send(PONG)
                self.seen["ping"] += 1
            elif kind == PONG:
                self.seen["pong"] += 1
            elif kind == REKEY:
                self.state.rekey_inbound_cipher()
                self.receiving = Meter()
                self.seen["rekey"] += 1
            elif kind == CLOSE:
                reader = Reader(body)
                reason = reader.choice(range(5))
                reader.end()
                self.wire.close()
                raise Closed(reason)
            else:
                return kind, body

    def close(self, reason=DONE):
        self.closing = True
        try:
            self.send(CLOSE, u8(reason))
        except (Cut, OSError):
            pass
        self.wire.close()
