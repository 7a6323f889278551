"""Section 13.4: the Double Ratchet, as its specification writes it."""

import copy
import hashlib
import hmac
import os

from nacl.bindings import (
    crypto_aead_xchacha20poly1305_ietf_decrypt,
    crypto_aead_xchacha20poly1305_ietf_encrypt,
)
from nacl.exceptions import CryptoError

from . import keys, x3dh
from .codec import u32

ROOT_INFO = keys.labelled("secchat ratchet root v1", b"")
NONCE = 24
MOST_SKIPPED_AT_ONCE = 1_000
MOST_SKIPPED = 2_000


class Undecryptable(Exception):
    """A message that does not open."""


class Header:
    def __init__(self, key, previous, number):
        self.key, self.previous, self.number = key, previous, number
        self.bytes = key + u32(previous) + u32(number)

    @classmethod
    def read(cls, reader):
        return cls(reader.take(32), reader.u32(), reader.u32())


def root_step(root, output):
    """(next root key, chain key)."""
    both = x3dh.hkdf(root, output, ROOT_INFO, 64)
    return both[:32], both[32:]


def chain_step(chain):
    """(next chain key, message key)."""
    return hmac.digest(chain, b"\x02", hashlib.sha256), hmac.digest(chain, b"\x01", hashlib.sha256)


def encrypt(key, plaintext, associated, nonce=None):
    nonce = nonce or os.urandom(NONCE)
    return nonce + crypto_aead_xchacha20poly1305_ietf_encrypt(plaintext, associated, nonce, key)


def decrypt(key, sealed, associated):
    try:
        return crypto_aead_xchacha20poly1305_ietf_decrypt(sealed[NONCE:], associated, sealed[:NONCE], key)
    except CryptoError as error:
        raise Undecryptable("tag") from error


class Ratchet:
    """The names of the state's members are the specification's."""

    def __init__(self, rk, dhs, dhr):
        self.rk, self.dhs, self.dhr = rk, dhs, dhr
        self.cks = self.ckr = None
        self.ns = self.nr = self.pn = 0
        self.skipped = {}

    @classmethod
    def initiator(cls, root, theirs, private=None):
        self = cls(root, private or os.urandom(32), theirs)
        self.rk, self.cks = root_step(root, x3dh.agree(self.dhs, theirs))
        return self

    @classmethod
    def responder(cls, root, private):
        return cls(root, private, None)

    def encrypt(self, plaintext, associated, nonce=None):
        """(Header, sealed); `associated` makes the associated data of a header."""
        self.cks, key = chain_step(self.cks)
        header = Header(keys.agreement_public(self.dhs), self.pn, self.ns)
        self.ns += 1
        return header, encrypt(key, plaintext, associated(header), nonce)

    def decrypt(self, header, sealed, associated):
        """Nothing of the state moves unless the tag verifies."""
        after = copy.copy(self)
        after.skipped = dict(self.skipped)
        plaintext = after.step(header, sealed, associated)
        while len(after.skipped) > MOST_SKIPPED:
            del after.skipped[next(iter(after.skipped))]
        self.__dict__ = after.__dict__
        return plaintext

    def step(self, header, sealed, associated):
        kept = self.skipped.pop((header.key, header.number), None)
        if kept:
            return decrypt(kept, sealed, associated)
        if header.key != self.dhr:
            self.skip(header.previous)
            self.turn(header)
        self.skip(header.number)
        if header.number < self.nr:
            raise Undecryptable("its key has been used")
        self.ckr, key = chain_step(self.ckr)
        self.nr += 1
        return decrypt(key, sealed, associated)

    def skip(self, until):
        if self.ckr is None:
            return
        if until - self.nr > MOST_SKIPPED_AT_ONCE:
            raise Undecryptable("too far ahead")
        while self.nr < until:
            self.ckr, key = chain_step(self.ckr)
            self.skipped[self.dhr, self.nr] = key
            self.nr += 1

    def turn(self, header):
        self.pn, self.ns, self.nr, self.dhr = self.ns, 0, 0, header.key
        self.rk, self.ckr = root_step(self.rk, x3dh.agree(self.dhs, self.dhr))
        self.dhs = os.urandom(32)
        self.rk, self.cks = root_step(self.rk, x3dh.agree(self.dhs, self.dhr))
