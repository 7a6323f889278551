"""Section 4: accounts, device lists, verdicts."""

from . import keys
from .codec import Malformed, Reader, flag, opaque16, u8, u32, u64, user_name


def account(registry, name):
    assert len(registry) == 32
    return registry + user_name(name)


def device(identity):
    return u32(identity.device) + identity.link + identity.messaging + identity.signing + u64(identity.created)


def device_list(identity, account, version, previous, devices):
    return (
        u8(1) + identity + account + u64(version) + previous + u8(len(devices)) + b"".join(devices)
    )


def signed(seed, encoded, continuity=None):
    """A SignedDeviceList; `continuity` is (device id, signing seed) of the device that vouches for it."""
    tail = b""
    if continuity:
        tail = u32(continuity[0]) + keys.sign(continuity[1], keys.CONTINUITY, encoded)
    return opaque16(encoded) + keys.sign(seed, keys.DEVICE_LIST, encoded) + flag(continuity) + tail


class SignedDeviceList:
    """A list whose signature has been verified. `bytes` is all of it, as received."""

    def __init__(self, data):
        self.bytes = bytes(data)
        reader = Reader(data)
        self.list = reader.opaque16(0, 2002)
        signature = reader.take(64)
        self.continuity = (reader.u32(), reader.take(64)) if reader.flag() else None
        reader.end()

        reader = Reader(self.list)
        if reader.u8() != 1:
            raise Malformed("format")
        self.identity = reader.take(32)
        keys.verify(self.identity, keys.DEVICE_LIST, self.list, signature)
        self.registry = reader.take(32)
        self.name = reader.user_name()
        self.version = reader.u64()
        self.previous = reader.take(32)
        count = reader.u8()
        if self.version == 0 or not 1 <= count <= 16:
            raise Malformed("version or count")
        self.devices = {}
        for _ in range(count):
            number = reader.u32()
            if self.devices and number <= max(self.devices):
                raise Malformed("order of devices")
            self.devices[number] = {
                "link": reader.take(32),
                "messaging": reader.take(32),
                "signing": reader.take(32),
                "created": reader.u64(),
            }
        reader.end()

    @property
    def account(self):
        return account(self.registry, self.name)

    @property
    def hash(self):
        return keys.blake2b(self.list)


def verdict(pin, new, expected):
    """Section 4.5; `pin` may be None, `expected` is the account asked for."""
    if new.account != expected:
        return "refused"
    if pin is None:
        return "first"
    if new.identity != pin.identity:
        return "unexplained"
    if new.version == pin.version:
        return "same" if new.list == pin.list else "refused"
    if new.version < pin.version:
        return "refused"
    if new.continuity and new.previous == pin.hash and new.continuity[0] in pin.devices:
        number, statement = new.continuity
        try:
            keys.verify(pin.devices[number]["signing"], keys.CONTINUITY, new.list, statement)
            return "continuous"
        except Malformed:
            pass
    return "recovered"
