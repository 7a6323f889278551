"""Sections 6.10, 6.11 and 13.1: prekeys, one's own and those of others."""

import os
import time

from . import keys
from .codec import Malformed, flag, optional, u8, u32, u64

SIGNED_LIFE = 30 * 86_400
SERIES = 2**31


def statement(account, device, number, expires, key):
    return account + u32(device) + u32(number) + u64(expires) + key


def one_time(number, key):
    return u32(number) + key


def offer(signed, one_time_prekey):
    """PrekeyOffer of two encodings, the second of which may be None."""
    return signed + optional(one_time_prekey) + u8(0)


class SignedPrekey:
    """`bytes` is all of it, as it travels."""

    def __init__(self, number, expires, key, signature):
        self.number, self.expires, self.key, self.signature = number, expires, key, signature
        self.bytes = u32(number) + u64(expires) + key + signature

    @classmethod
    def sign(cls, seed, account, device, number, expires, key):
        return cls(
            number, expires, key,
            keys.sign(seed, keys.SIGNED_PREKEY, statement(account, device, number, expires, key)))

    @classmethod
    def read(cls, reader):
        number = reader.u32()
        if number == 0:
            raise Malformed("id of a prekey")
        return cls(number, reader.u64(), reader.take(32), reader.take(64))

    def check(self, account, device, signing, now):
        keys.verify(
            signing, keys.SIGNED_PREKEY, statement(account, device, self.number, self.expires, self.key),
            self.signature)
        if self.expires <= now:
            raise Malformed("the signed prekey has expired")


class Offer:
    """A PrekeyOffer that came: a claim until `check` has been called. `one_time` is (id, key) or None."""

    def __init__(self, reader):
        self.signed = SignedPrekey.read(reader)
        self.one_time = (reader.u32(), reader.take(32)) if reader.flag() else None
        if self.one_time and self.one_time[0] == 0:
            raise Malformed("id of a prekey")
        reader.choice((0,))


class Keeper:
    """The private halves of one's own prekeys, by id."""

    def __init__(self, me, account):
        self.me, self.account = me, account
        self.signed, self.one_time, self.answered, self.used = {}, {}, set(), []
        self.number = int.from_bytes(os.urandom(4), "big") % SERIES + 1
        self.renew()

    def renew(self):
        """A new signed prekey."""
        private, number = os.urandom(32), int.from_bytes(os.urandom(4), "big") or 1
        self.signed[number] = private
        self.current = SignedPrekey.sign(
            self.me.signing_seed, self.account, self.me.device, number, int(time.time()) + SIGNED_LIFE,
            keys.agreement_public(private))

    def make(self, count):
        """So many new one-time prekeys, as encodings; the ids ascend."""
        fresh = []
        for _ in range(count):
            self.number += 1
            self.one_time[self.number] = os.urandom(32)
            fresh.append(one_time(self.number, keys.agreement_public(self.one_time[self.number])))
        return fresh

    def handed(self):
        """(PrekeyOffer, id, private key): for the session that begins on one link."""
        private, number = os.urandom(32), int.from_bytes(os.urandom(4), "big") or 1
        return offer(self.current.bytes, one_time(number, keys.agreement_public(private))), number, private

    def secrets(self, initiation, handed):
        """(signed, one-time or None) private keys that an initiation names; None where they are not there."""
        signed = self.signed.get(initiation.signed)
        if signed is None:
            return None
        if initiation.one_time is None:
            return None if initiation.ephemeral in self.answered else (signed, None)
        if handed and handed[0] == initiation.one_time:
            return signed, handed[1]
        private = self.one_time.get(initiation.one_time)
        return private and (signed, private)

    def use(self, initiation):
        """The first message of a session has been opened."""
        if initiation.one_time is None:
            self.answered.add(initiation.ephemeral)
        elif self.one_time.pop(initiation.one_time, None):
            self.used.append(initiation.one_time)

    def lose(self):
        """Forgets every private key that others may have the public one of."""
        self.signed, self.one_time = {}, {}
        self.renew()


def publish(request, replace, signed, used, fresh):
    """`signed` is an encoding or None, `used` ids, `fresh` encodings."""
    return (
        u32(request) + flag(replace) + optional(signed) + u8(len(used)) + b"".join(map(u32, sorted(used)))
        + u8(len(fresh)) + b"".join(fresh)
    )
