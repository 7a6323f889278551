"""Section 13.2: X3DH."""

import hashlib
import hmac

from nacl.bindings import crypto_scalarmult

from . import keys
from .codec import Malformed

INFO = keys.labelled("secchat x3dh v1", b"")


def agree(private, public):
    try:
        output = crypto_scalarmult(private, public)
    except RuntimeError as error:  # libsodium refuses a result of zeros itself.
        raise Malformed("agreement") from error
    if output == bytes(32):
        raise Malformed("agreement")
    return output


def hkdf(salt, material, info, count):
    """HKDF-SHA256 (RFC 5869)."""
    extracted = hmac.digest(salt, material, hashlib.sha256)
    output, block = b"", b""
    for number in range(1, -(-count // 32) + 1):
        block = hmac.digest(extracted, block + info + bytes([number]), hashlib.sha256)
        output += block
    return output[:count]


def root(*agreements):
    return hkdf(bytes(32), b"\xff" * 32 + b"".join(agreements), INFO, 32)


def initiate(identity, ephemeral, their_identity, signed, one_time=None):
    """SK of the initiator, by its private keys and the responder's public ones."""
    agreements = [agree(identity, signed), agree(ephemeral, their_identity), agree(ephemeral, signed)]
    if one_time:
        agreements.append(agree(ephemeral, one_time))
    return root(*agreements)


def respond(identity, signed, one_time, their_identity, ephemeral):
    """SK of the responder, by its private keys and the initiator's public ones."""
    agreements = [agree(signed, their_identity), agree(identity, ephemeral), agree(signed, ephemeral)]
    if one_time:
        agreements.append(agree(one_time, ephemeral))
    return root(*agreements)
