"""Section 10: the key file."""

import base64

from nacl.bindings import (
    crypto_aead_xchacha20poly1305_ietf_decrypt,
    crypto_aead_xchacha20poly1305_ietf_encrypt,
)
from nacl.pwhash import argon2id

from . import keys
from .codec import Malformed, Reader, u32, u64

LABEL = "secchat key file v1"
PREFIX = "SECCHAT-SECRET-KEY-1"


def sealing_key(passphrase, passes, memory, salt):
    return argon2id.kdf(32, passphrase, salt, opslimit=passes, memlimit=memory * 1024)


def associated(identity, passes, memory, salt):
    return keys.labelled(LABEL, identity + u32(passes) + u32(memory) + salt)


def write(identity, storage, passphrase, passes, memory, salt, nonce):
    plaintext = (
        identity.seed + u32(identity.device) + u64(identity.created) + identity.link_private
        + identity.messaging_private + identity.signing_seed + storage
    )
    sealed = crypto_aead_xchacha20poly1305_ietf_encrypt(
        plaintext, associated(identity.identity, passes, memory, salt), nonce,
        sealing_key(passphrase, passes, memory, salt))
    data = u32(passes) + u32(memory) + salt + nonce + sealed
    data += keys.digest(LABEL, identity.identity + data)
    first = keys.key_text(keys.IDENTITY_PREFIX, identity.identity)
    return f"{first}\n{PREFIX}{keys.base32(data).upper()}\n"


def read(text, passphrase):
    """(Identity, storage key, the four parameters) of a key file."""
    first, second, rest = text.split("\n")
    if rest or not second.startswith(PREFIX):
        raise Malformed("key file")
    public = keys.key_from_text(keys.IDENTITY_PREFIX, first)
    body = second[len(PREFIX) :]
    data = base64.b32decode(body + "=" * (-len(body) % 8))
    if data[-32:] != keys.digest(LABEL, public + data[:-32]):
        raise Malformed("damaged key file")
    reader = Reader(data[:-32])
    passes, memory, salt, nonce, sealed = (
        reader.u32(), reader.u32(), reader.take(16), reader.take(24), reader.take(188))
    reader.end()
    if not 1 <= passes <= 64 or not 8 <= memory <= 4_194_304:
        raise Malformed("parameters")
    plaintext = Reader(crypto_aead_xchacha20poly1305_ietf_decrypt(
        sealed, associated(public, passes, memory, salt), nonce, sealing_key(passphrase, passes, memory, salt)))
    seed, device, created = plaintext.take(32), plaintext.u32(), plaintext.u64()
    link, messaging, signing, storage = (plaintext.take(32) for _ in range(4))
    plaintext.end()
    identity = keys.Identity(seed, link, messaging, signing, created, device)
    if identity.identity != public:
        raise Malformed("another identity")
    return identity, storage, (passes, memory, salt, nonce)
