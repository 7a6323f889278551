"""The other side of RatchetInteropTests: the packages X3DH and DoubleRatchet with secchat's functions put in.

One JSON object a line on stdin asks for a session: role (this side's), oneTime (whether a one-time prekey is used) and port.
The peer connects to that port on loopback and sends what X3DH needs of it as a JSON frame: as responder its bundle, and gets
the initiator's header; as initiator it gets the bundle first. Then it does what each frame asks, and answers it by a frame:

    E plaintext        seals: 40 bytes header, ciphertext
    D header, sealed   opens: 01, plaintext; or 00, the name of the exception
    Q                  ends; what the two sides agreed on is printed as one JSON object

A frame is a 2-byte big-endian length and so many bytes.
"""

import asyncio
import json
import os
import socket
import struct
import sys

import doubleratchet
import x3dh
import xeddsa
from doubleratchet.recommended import HashFunction
from doubleratchet.recommended import diffie_hellman_ratchet_curve25519 as curve25519
from doubleratchet.recommended import kdf_hkdf, kdf_separate_hmacs
from nacl.bindings import (
    crypto_aead_xchacha20poly1305_ietf_decrypt,
    crypto_aead_xchacha20poly1305_ietf_encrypt,
)
from nacl.exceptions import CryptoError

X3DH_INFO = b"secchat x3dh v1\x00"
ROOT_INFO = b"secchat ratchet root v1\x00"
# The next chain key comes of the first byte, the message key of the second.
CHAIN_CONSTANT = b"\x02\x01"
MOST_SKIPPED_AT_ONCE = 1_000
MOST_SKIPPED = 2_000
NONCE = 24


class State(x3dh.BaseState):
    @staticmethod
    def _encode_public_key(key_format, pub):
        return pub


class RootKDF(kdf_hkdf.KDF):
    @staticmethod
    def _get_hash_function():
        return HashFunction.SHA_256

    @staticmethod
    def _get_info():
        return ROOT_INFO


class ChainKDF(kdf_separate_hmacs.KDF):
    @staticmethod
    def _get_hash_function():
        return HashFunction.SHA_256


class AEAD(doubleratchet.AEAD):
    """XChaCha20-Poly1305 under a random nonce, which stands before the ciphertext."""

    @staticmethod
    async def encrypt(plaintext, key, associated_data):
        nonce = os.urandom(NONCE)
        return nonce + crypto_aead_xchacha20poly1305_ietf_encrypt(plaintext, associated_data, nonce, key)

    @staticmethod
    async def decrypt(ciphertext, key, associated_data):
        try:
            return crypto_aead_xchacha20poly1305_ietf_decrypt(
                ciphertext[NONCE:], associated_data, ciphertext[:NONCE], key)
        except CryptoError as error:
            raise doubleratchet.AuthenticationFailedException() from error


def encode(header):
    return header.ratchet_pub + struct.pack(
        ">II", header.previous_sending_chain_length, header.sending_chain_length)


class Ratchet(doubleratchet.DoubleRatchet):
    @staticmethod
    def _build_associated_data(associated_data, header):
        return associated_data + encode(header)


FUNCTIONS = {
    "diffie_hellman_ratchet_class": curve25519.DiffieHellmanRatchet,
    "root_chain_kdf": RootKDF,
    "message_chain_kdf": ChainKDF,
    "message_chain_constant": CHAIN_CONSTANT,
    "dos_protection_threshold": MOST_SKIPPED_AT_ONCE,
    "max_num_skipped_message_keys": MOST_SKIPPED,
    "aead": AEAD,
}


class Session:
    """`shared` is SK, `associated` X3DH's associated data, `theirs` or `ours` the responder's signed prekey."""

    def __init__(self, shared, associated, theirs=None, ours=None):
        self.shared, self.associated, self.theirs, self.ours = shared, associated, theirs, ours
        self.ratchet = None

    async def seal(self, plaintext):
        if self.ratchet:
            message = await self.ratchet.encrypt_message(plaintext, self.associated)
        else:
            self.ratchet, message = await Ratchet.encrypt_initial_message(
                **FUNCTIONS, shared_secret=self.shared, recipient_ratchet_pub=self.theirs, message=plaintext,
                associated_data=self.associated)
        return encode(message.header) + message.ciphertext

    async def open(self, data):
        previous, number = struct.unpack(">II", data[32:40])
        message = doubleratchet.EncryptedMessage(doubleratchet.Header(data[:32], previous, number), data[40:])
        if self.ratchet:
            return await self.ratchet.decrypt_message(message, self.associated)
        self.ratchet, plaintext = await Ratchet.decrypt_initial_message(
            **FUNCTIONS, shared_secret=self.shared, own_ratchet_priv=self.ours, message=message,
            associated_data=self.associated)
        return plaintext


def state():
    return State.create(x3dh.IdentityKeyFormat.CURVE_25519, x3dh.HashFunction.SHA_256, X3DH_INFO)


def key(ask, name):
    return bytes.fromhex(ask[name]) if ask.get(name) else None


async def respond(stream, one_time):
    ours = state()
    ours.generate_pre_keys(1 if one_time else 0)
    bundle = ours.bundle
    say(stream, {
        "identity": bundle.identity_key.hex(),
        "signed": bundle.signed_pre_key.hex(),
        "oneTime": next(iter(bundle.pre_keys)).hex() if one_time else None,
    })
    told = json.loads(receive(stream))
    header = x3dh.Header(key(told, "identity"), key(told, "ephemeral"), bundle.signed_pre_key, key(told, "oneTime"))
    shared, associated, signed = await ours.get_shared_secret_passive(header, require_pre_key=one_time)
    return Session(shared, associated, ours=signed.priv)


async def initiate(stream, one_time):
    told = json.loads(receive(stream))
    identity, signed = key(told, "identity"), key(told, "signed")
    # The package asks for a signature by the identity key itself, which secchat never makes: its private half comes along.
    signer = xeddsa.priv_force_sign(key(told, "private"), False)
    bundle = x3dh.Bundle(
        identity, signed, xeddsa.ed25519_priv_sign(signer, signed),
        frozenset([key(told, "oneTime")] if one_time else []))
    shared, associated, header = await state().get_shared_secret_active(bundle, require_pre_key=one_time)
    say(stream, {
        "identity": header.identity_key.hex(),
        "ephemeral": header.ephemeral_key.hex(),
        "oneTime": header.pre_key.hex() if header.pre_key else None,
    })
    return Session(shared, associated, theirs=signed)


def send(stream, frame):
    stream.write(struct.pack(">H", len(frame)) + frame)
    stream.flush()


def say(stream, value):
    send(stream, json.dumps(value).encode())


def receive(stream):
    (length,) = struct.unpack(">H", stream.read(2))
    frame = stream.read(length)
    assert len(frame) == length
    return frame


async def serve(ask):
    with socket.create_connection(("127.0.0.1", ask["port"]), timeout=20) as connection:
        stream = connection.makefile("rwb")
        begin = {"responder": respond, "initiator": initiate}[ask["role"]]
        session = await begin(stream, ask["oneTime"])
        while (frame := receive(stream)) != b"Q":
            if frame[:1] == b"E":
                send(stream, await session.seal(frame[1:]))
                continue
            try:
                send(stream, b"\x01" + await session.open(frame[1:]))
            except Exception as error:
                send(stream, b"\x00" + type(error).__name__.encode())
        return {"shared": session.shared.hex(), "associated": session.associated.hex()}


def main():
    for line in sys.stdin:
        print(json.dumps(asyncio.run(serve(json.loads(line)))), flush=True)


main()
