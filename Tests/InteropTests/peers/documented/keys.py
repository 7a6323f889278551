"""Sections 3 and 9: labels, keys, key text, fingerprints, the safety number."""

import base64
import hashlib
import os

from nacl.bindings import crypto_scalarmult_base
from nacl.exceptions import BadSignatureError
from nacl.signing import SigningKey, VerifyKey

from .codec import Malformed

DEVICE_LIST = "secchat device list v1"
CONTINUITY = "secchat device list continuity v1"
REGISTER = "secchat register v1"
SIGNED_PREKEY = "secchat signed prekey v1"
PREKEY_RESET = "secchat prekey reset v1"
RATCHET_SESSION = "secchat ratchet session v1"
MESSAGE_CHAIN = "secchat message chain v1"
IDENTITY_FINGERPRINT = "secchat identity fingerprint v1"
REGISTRY_FINGERPRINT = "secchat registry fingerprint v1"
SAFETY_NUMBER = "secchat safety number v1"
KEY_TEXT = "secchat key text v1"

IDENTITY_PREFIX = "secchat-pub-1"
REGISTRY_PREFIX = "secchat-registry-1"


def labelled(label, data):
    return label.encode() + b"\x00" + data


def blake2b(data):
    return hashlib.blake2b(data, digest_size=32).digest()


def digest(label, data):
    return blake2b(labelled(label, data))


def sign(seed, label, message):
    return SigningKey(seed).sign(labelled(label, message)).signature


def verify(key, label, message, signature):
    try:
        VerifyKey(key).verify(labelled(label, message), signature)
    except (BadSignatureError, ValueError) as error:
        raise Malformed("signature") from error


def signing_public(seed):
    return bytes(SigningKey(seed).verify_key)


def agreement_public(private):
    return crypto_scalarmult_base(private)


def base32(data):
    return base64.b32encode(data).decode().rstrip("=").lower()


def key_text(prefix, key):
    return prefix + base32(key + digest(KEY_TEXT, prefix.encode() + key)[:3])


def key_from_text(prefix, text):
    body = text[len(prefix) :]
    if not text.startswith(prefix) or len(body) != 56:
        raise Malformed("key text")
    data = base64.b32decode(body.upper())
    if digest(KEY_TEXT, prefix.encode() + data[:32])[:3] != data[32:]:
        raise Malformed("checksum")
    return data[:32]


def fingerprint(label, key):
    text = base32(digest(label, key)[:25])
    return "-".join(text[place : place + 4] for place in range(0, 40, 4))


def half_number(account, identity):
    identifier = labelled(SAFETY_NUMBER, account)
    value = b"\x00\x00" + identity + identifier
    for _ in range(5200):
        value = hashlib.sha512(value + identity).digest()
    return "".join(f"{int.from_bytes(value[5 * j : 5 * j + 5], 'big') % 100000:05}" for j in range(6))


def safety_number(one, other):
    """60 digits; each side is (encoded Account, identity key)."""
    return "".join(sorted([half_number(*one), half_number(*other)]))


class Identity:
    """A user's identity and one device with its three keys."""

    def __init__(self, identity, link, messaging, signing, created, device=1):
        self.seed, self.link_private, self.messaging_private, self.signing_seed = identity, link, messaging, signing
        self.created, self.device = created, device
        self.identity = signing_public(identity)
        self.link = agreement_public(link)
        self.messaging = agreement_public(messaging)
        self.signing = signing_public(signing)

    @classmethod
    def random(cls, created):
        return cls(os.urandom(32), os.urandom(32), os.urandom(32), os.urandom(32), created)
