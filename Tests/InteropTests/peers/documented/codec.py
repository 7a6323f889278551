"""Section 2: integers, vectors, flags and optional values. Encoders return bytes; Reader refuses what is not canonical."""

import ipaddress
import re


class Malformed(Exception):
    """Bytes that are not exactly one encoding of a message."""


def u8(value):
    return value.to_bytes(1, "big")


def u16(value):
    return value.to_bytes(2, "big")


def u32(value):
    return value.to_bytes(4, "big")


def u64(value):
    return value.to_bytes(8, "big")


def flag(value):
    return b"\x01" if value else b"\x00"


def opaque(data, most):
    """A vector of at most `most` bytes: its length stands before it in one byte where `most` is up to 255, else in two."""
    assert len(data) <= most
    return (u8 if most <= 255 else u16)(len(data)) + data


def opaque16(data):
    """A vector whose length has two bytes whatever its limit."""
    return u16(len(data)) + data


def optional(data):
    """`data` is an encoding or None."""
    return b"\x00" if data is None else b"\x01" + data


USER_NAME = re.compile(rb"[a-z0-9_][a-z0-9._-]{2,31}\Z")


def user_name(name):
    data = name.encode()
    if not USER_NAME.match(data):
        raise Malformed(f"user name {name!r}")
    return opaque(data, 32)


def network_address(host, port):
    address = ipaddress.ip_address(host)
    if address.version == 6 and address.ipv4_mapped:
        address = address.ipv4_mapped
    return u8(address.version) + address.packed + u16(port)


class Reader:
    """Reads one message; `end` must be the last call."""

    def __init__(self, data):
        self.data = bytes(data)
        self.place = 0

    def take(self, count):
        if self.place + count > len(self.data):
            raise Malformed("too short")
        self.place += count
        return self.data[self.place - count : self.place]

    def integer(self, size):
        return int.from_bytes(self.take(size), "big")

    def u8(self):
        return self.integer(1)

    def u16(self):
        return self.integer(2)

    def u32(self):
        return self.integer(4)

    def u64(self):
        return self.integer(8)

    def flag(self):
        value = self.u8()
        if value > 1:
            raise Malformed("flag")
        return value == 1

    def opaque(self, least, most):
        return self.bounded(self.integer(1 if most <= 255 else 2), least, most)

    def opaque16(self, least, most):
        return self.bounded(self.u16(), least, most)

    def bounded(self, length, least, most):
        if not least <= length <= most:
            raise Malformed("length")
        return self.take(length)

    def optional(self, read):
        return read() if self.flag() else None

    def choice(self, allowed):
        value = self.u8()
        if value not in allowed:
            raise Malformed("enumeration")
        return value

    def text16(self, least, most):
        return utf8(self.opaque16(least, most))

    def user_name(self):
        data = self.opaque(3, 32)
        if not USER_NAME.match(data):
            raise Malformed("user name")
        return data.decode()

    def network_address(self):
        size = {4: 4, 6: 16}[self.choice((4, 6))]
        address = ipaddress.ip_address(self.take(size))
        if address.version == 6 and address.ipv4_mapped:
            raise Malformed("mapped address")
        return str(address), self.u16()

    def rest(self):
        return self.take(len(self.data) - self.place)

    def end(self):
        if self.place != len(self.data):
            raise Malformed("trailing bytes")


def utf8(data):
    try:
        return data.decode("utf-8", errors="strict")
    except UnicodeDecodeError as error:
        raise Malformed("text") from error
