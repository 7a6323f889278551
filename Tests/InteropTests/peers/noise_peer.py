"""The other side of NoiseInteropTests: a Noise peer on one of two Python libraries.

    noise_peer.py noiseprotocol|dissononce

One JSON object a line on stdin asks for a session: pattern, hash, role (this side's), port, prologue, private and, where the
pattern wants it, remote (hexadecimal). The peer connects to that port on loopback, runs the handshake with the payloads
`python 0`, `python 1`, …, answers each transport frame with its payload reversed, rekeys both directions before frame
`rekeyBefore`, and after `frames` frames prints one JSON object: the handshake hash, the other side's static key and the
payloads that came with the handshake.

A frame is a 2-byte big-endian length and a Noise message.
"""

import json
import socket
import struct
import sys


class NoiseProtocol:
    """The package noiseprotocol."""

    def __init__(self, ask):
        from noise.connection import Keypair, NoiseConnection

        self.noise = NoiseConnection.from_name(f"Noise_{ask['pattern']}_25519_ChaChaPoly_{ask['hash']}".encode())
        self.noise.set_prologue(bytes.fromhex(ask["prologue"]))
        if ask.get("private"):
            self.noise.set_keypair_from_private_bytes(Keypair.STATIC, bytes.fromhex(ask["private"]))
        if ask.get("remote"):
            self.noise.set_keypair_from_public_bytes(Keypair.REMOTE_STATIC, bytes.fromhex(ask["remote"]))
        if ask["role"] == "initiator":
            self.noise.set_as_initiator()
        else:
            self.noise.set_as_responder()
        self.noise.start_handshake()
        self.state = self.noise.noise_protocol.handshake_state

    def write(self, payload):
        return bytes(self.noise.write_message(payload))

    def read(self, message):
        return bytes(self.noise.read_message(message))

    @property
    def finished(self):
        return self.noise.handshake_finished

    @property
    def handshake_hash(self):
        return bytes(self.noise.get_handshake_hash())

    @property
    def remote(self):
        return getattr(self.state.rs, "public_bytes", None)

    def seal(self, payload):
        return self.noise.encrypt(payload)

    def open(self, message):
        return self.noise.decrypt(message)

    def rekey(self):
        self.noise.rekey_outbound_cipher()
        self.noise.rekey_inbound_cipher()


class Dissononce:
    """The package dissononce."""

    def __init__(self, ask):
        from importlib import import_module

        from dissononce.cipher.chachapoly import ChaChaPolyCipher
        from dissononce.dh.x25519.private import PrivateKey
        from dissononce.dh.x25519.public import PublicKey
        from dissononce.dh.x25519.x25519 import X25519DH
        from dissononce.processing.impl.cipherstate import CipherState
        from dissononce.processing.impl.handshakestate import HandshakeState
        from dissononce.processing.impl.symmetricstate import SymmetricState

        module = import_module(f"dissononce.processing.handshakepatterns.interactive.{ask['pattern']}")
        hashes = import_module(f"dissononce.hash.{ask['hash'].lower()}")
        pattern = getattr(module, ask["pattern"] + "HandshakePattern")()
        hash_function = getattr(hashes, {"BLAKE2b": "Blake2bHash"}.get(ask["hash"], ask["hash"] + "Hash"))()
        dh = X25519DH()
        self.state = HandshakeState(SymmetricState(CipherState(ChaChaPolyCipher()), hash_function), dh)
        self.initiator = ask["role"] == "initiator"
        self.ciphers = None
        private = ask.get("private")
        remote = ask.get("remote")
        self.state.initialize(
            pattern, self.initiator, bytes.fromhex(ask["prologue"]),
            s=dh.generate_keypair(PrivateKey(bytes.fromhex(private))) if private else None,
            rs=PublicKey(bytes.fromhex(remote)) if remote else None)

    def write(self, payload):
        message = bytearray()
        self.ciphers = self.state.write_message(payload, message)
        return bytes(message)

    def read(self, message):
        payload = bytearray()
        self.ciphers = self.state.read_message(message, payload)
        return bytes(payload)

    @property
    def finished(self):
        return self.ciphers is not None

    @property
    def handshake_hash(self):
        return bytes(self.state.symmetricstate.get_handshake_hash())

    @property
    def remote(self):
        return self.state.rs.data if self.state.rs else None

    def seal(self, payload):
        return self.ciphers[0 if self.initiator else 1].encrypt_with_ad(b"", payload)

    def open(self, message):
        return self.ciphers[1 if self.initiator else 0].decrypt_with_ad(b"", message)

    def rekey(self):
        for cipher in self.ciphers:
            # Its own rekey keeps the tag in the key and starts the counter again; the specification cuts the key to 32
            # bytes (section 4.2) and leaves the counter (section 11.3).
            nonce = cipher._nonce
            cipher.initialize_key(cipher.cipher.rekey(cipher._key)[:32])
            cipher.set_nonce(nonce)


def send(stream, message):
    stream.write(struct.pack(">H", len(message)) + message)
    stream.flush()


def receive(stream):
    (length,) = struct.unpack(">H", stream.read(2))
    message = stream.read(length)
    assert len(message) == length
    return message


def session(library, ask):
    with socket.create_connection(("127.0.0.1", ask["port"]), timeout=20) as connection:
        stream = connection.makefile("rwb")
        peer = library(ask)
        payloads = []
        writing = ask["role"] == "initiator"
        while not peer.finished:
            if writing:
                send(stream, peer.write(f"python {len(payloads)}".encode()))
            else:
                payloads.append(peer.read(receive(stream)).decode())
            writing = not writing
        for index in range(ask["frames"]):
            if index == ask["rekeyBefore"]:
                peer.rekey()
            payload = bytes(peer.open(receive(stream)))
            send(stream, bytes(peer.seal(payload[::-1])))
        remote = peer.remote
        return {
            "handshakeHash": peer.handshake_hash.hex(),
            "remote": remote.hex() if remote else "",
            "payloads": payloads,
        }


def main():
    library = {"noiseprotocol": NoiseProtocol, "dissononce": Dissononce}[sys.argv[1]]
    for line in sys.stdin:
        print(json.dumps(session(library, json.loads(line))), flush=True)


main()
