"""Section 8: files and folders over a link to a peer."""

import hashlib
import os
import stat

from . import peer
from .codec import Malformed, Reader, flag, opaque16, optional, u8, u32, u64

OFFER, ACCEPT, ENTRY, CHUNK, END, CANCEL, RESUME = range(0x50, 0x57)
FROM_SENDER = (OFFER, ENTRY, CHUNK, END)
FILE, FOLDER = 1, 2
MOST_DATA = 65_024
FILE_CREDIT = 8 * 2**20
STOPPED, INTEGRITY, MALFORMED = 1, 5, 6
CANCELS = {
    1: "stopped", 2: "source failed", 3: "target failed", 4: "disk full", 5: "integrity", 6: "malformed", 7: "paused"}


def offer(stream, identifier, items, entries, size, name):
    return u32(stream) + identifier + u32(items) + u32(entries) + u64(size) + opaque16(name)


def accept(stream, held=None):
    """`held`: item, entries, offset and digest of what the receiver has."""
    if held is None:
        return u32(stream) + flag(False)
    item, entries, offset, summed = held
    return u32(stream) + flag(True) + u32(item) + u32(entries) + u64(offset) + summed


def resume(stream, verified):
    return u32(stream) + flag(verified)


def held_digest(held):
    """Of what is held of an item: pairs of an ENTRY's body and bytes."""
    summed = digest()
    summed.update(b"secchat held item v1\0")
    for body, data in held:
        summed.update(body[4:] + data)
    return summed.digest()


def entry(stream, item, kind, executable, modified, size, path):
    return u32(stream) + u32(item) + u8(kind) + flag(executable) + u64(modified) + u64(size) + opaque16(path)


def chunk(stream, data):
    return u32(stream) + data


def end(stream, size, digest):
    return u32(stream) + u64(size) + optional(digest)


def cancel(stream, reason):
    return u32(stream) + u8(reason)


def components(path):
    """The components of a path that may meet a file system."""
    if any(byte < 0x20 or byte == 0x7F for byte in path.encode()):
        raise Malformed("control byte in a path")
    parts = path.split("/")
    if len(parts) > 64:
        raise Malformed("path")
    for part in parts:
        if part in ("", ".", "..") or len(part.encode()) > 255:
            raise Malformed("component")
    return parts


def digest():
    return hashlib.blake2b(digest_size=32)


# Sending.


def walk(paths):
    """The entries of what the user named: (item, kind, path, source, stat)."""
    for item, source in enumerate(paths):
        source = source.rstrip("/")
        yield from below(item, os.path.basename(source), source)


def below(item, path, source):
    status = os.stat(source)
    kind = FOLDER if stat.S_ISDIR(status.st_mode) else FILE
    yield item, kind, path, source, status
    if kind == FOLDER:
        for name in sorted(os.listdir(source)):
            yield from below(item, f"{path}/{name}", os.path.join(source, name))


def send(link_peer, paths, with_digest):
    """Offers, sends, and waits for every ACK; what was sent in all."""
    entries = list(walk(paths))
    total = sum(status.st_size for _, kind, _, _, status in entries if kind == FILE)
    identifier, stream = os.urandom(16), link_peer.new_stream()
    link_peer.link.send(
        OFFER, offer(stream, identifier, len(paths), len(entries), total, entries[0][2].encode()))
    link_peer.wait(
        lambda: stream in link_peer.accepted or identifier in link_peer.refused or stream in link_peer.cancelled,
        "ACCEPT")
    if stream not in link_peer.accepted:
        reason = link_peer.refused.get(identifier)
        raise peer.Refused(peer.REFUSALS[reason] if reason else link_peer.cancelled[stream])
    for item, kind, path, source, status in entries:
        size = status.st_size if kind == FILE else 0
        executable = kind == FILE and bool(status.st_mode & stat.S_IXUSR)
        link_peer.link.send(
            ENTRY, entry(stream, item, kind, executable, int(status.st_mtime), size, path.encode()))
        if kind == FILE:
            send_content(link_peer, stream, source, size, with_digest)
    wanted = {(identifier, item) for item in range(len(paths))}
    link_peer.wait(lambda: wanted <= link_peer.acknowledged or stream in link_peer.cancelled, "ACK of every item")
    if not wanted <= link_peer.acknowledged:
        raise peer.Refused(link_peer.cancelled[stream])
    return {"id": identifier.hex(), "bytes": total, "entries": len(entries)}


def send_content(link_peer, stream, source, size, with_digest):
    summed = digest()
    with open(source, "rb") as file:
        while data := file.read(MOST_DATA):
            link_peer.wait_credit(stream, len(data))
            summed.update(data)
            link_peer.link.send(CHUNK, chunk(stream, data))
    link_peer.link.send(END, end(stream, size, summed.digest() if with_digest else None))


# Receiving.


class Failed(Exception):
    """The stream has to be cancelled; `reason` is CANCEL's."""

    def __init__(self, reason):
        super().__init__(CANCELS[reason])
        self.reason = reason


class Stream:
    """A transfer that comes in. Entries and sizes are counted against the OFFER."""

    def __init__(self, number, identifier, items, entries, size, name):
        self.number, self.identifier, self.name = number, identifier, name
        self.items, self.entries, self.bytes = items, entries, size
        self.item, self.root, self.seen, self.folders = -1, None, 0, set()
        self.open = None
        self.written, self.announced, self.granted = 0, 0, FILE_CREDIT


class Incoming:
    """The streams that the other side sends. Without a folder for downloads, content is summed and dropped."""

    def __init__(self, link_peer, downloads):
        self.peer, self.downloads = link_peer, downloads
        self.parity = 0 if link_peer.initiator else 1
        self.streams, self.dead, self.last = {}, set(), 0

    def say(self, kind, body):
        self.peer.link.send(kind, body)

    def take(self, kind, body):
        reader = Reader(body)
        number = reader.u32()
        if kind == OFFER:
            return self.take_offer(number, reader)
        values = {ENTRY: self.read_entry, CHUNK: self.read_chunk, END: self.read_end}[kind](reader)
        reader.end()
        if number % 2 != self.parity:
            raise Malformed("stream")
        stream = self.streams.get(number)
        if stream is None:
            return
        try:
            {ENTRY: self.begin, CHUNK: self.write, END: self.finish}[kind](stream, *values)
        except Failed as failure:
            self.drop(stream)
            self.dead.add(number)
            self.say(CANCEL, cancel(number, failure.reason))
            self.peer.emit("cancelled", link=self.peer.number, stream=number, reason=str(failure))

    def take_offer(self, number, reader):
        identifier, items, entries, size = reader.take(16), reader.u32(), reader.u32(), reader.u64()
        name = reader.text16(0, 255)
        reader.end()
        if number % 2 != self.parity or number <= self.last or not 1 <= items <= entries <= 1_000_000:
            raise Malformed("OFFER")
        self.last = number
        self.streams[number] = Stream(number, identifier, items, entries, size, name)
        self.peer.emit(
            "offer", link=self.peer.number, id=identifier.hex(), name=name, items=items, entries=entries,
            bytes=size)
        self.say(ACCEPT, accept(number))
        self.say(peer.READY, peer.ready(number, FILE_CREDIT))

    @staticmethod
    def read_entry(reader):
        item, kind, executable = reader.u32(), reader.choice((FILE, FOLDER)), reader.flag()
        modified, size, path = reader.u64(), reader.u64(), reader.text16(0, 4096)
        if kind == FOLDER and (size or executable):
            raise Malformed("folder")
        return item, kind, executable, modified, size, path

    @staticmethod
    def read_chunk(reader):
        data = reader.rest()
        if not 1 <= len(data) <= MOST_DATA:
            raise Malformed("CHUNK")
        return (data,)

    @staticmethod
    def read_end(reader):
        return reader.u64(), reader.optional(lambda: reader.take(32))

    def begin(self, stream, item, kind, executable, modified, size, path):
        try:
            parts = components(path)
        except Malformed as error:
            raise Failed(MALFORMED) from error
        if stream.open or stream.seen == stream.entries:
            raise Failed(MALFORMED)
        if item == stream.item + 1:
            self.complete_folder(stream)
            if len(parts) != 1 or item >= stream.items or (item == 0 and path != stream.name):
                raise Failed(MALFORMED)
            stream.item, stream.root, stream.folders = item, (parts, kind), set()
        elif item != stream.item or stream.root[1] != FOLDER or tuple(parts[:-1]) not in stream.folders:
            raise Failed(MALFORMED)
        stream.seen += 1
        stream.announced += size
        if stream.announced > stream.bytes:
            raise Failed(MALFORMED)
        target = os.path.join(self.downloads, *parts) if self.downloads else None
        if kind == FOLDER:
            stream.folders.add(tuple(parts))
            if target:
                os.makedirs(target, exist_ok=True)
            if stream.seen == stream.entries:
                self.complete_folder(stream)
            return
        part = open(target + ".part", "wb") if target else None
        stream.open = {
            "path": "/".join(parts), "target": target, "part": part, "size": size, "got": 0, "sum": digest(),
            "executable": executable, "modified": modified,
        }

    def write(self, stream, data):
        opened = stream.open
        if opened is None or opened["got"] + len(data) > opened["size"]:
            raise Failed(MALFORMED)
        opened["got"] += len(data)
        opened["sum"].update(data)
        if opened["part"]:
            opened["part"].write(data)
        stream.written += len(data)
        if stream.written > stream.granted:
            raise Malformed("beyond the credit")
        if stream.granted - stream.written <= FILE_CREDIT // 2:
            stream.granted = stream.written + FILE_CREDIT
            self.say(peer.READY, peer.ready(stream.number, stream.granted))

    def finish(self, stream, size, claimed):
        opened = stream.open
        if opened is None:
            raise Failed(MALFORMED)
        got = opened["sum"].digest()
        if size != opened["size"] or size != opened["got"] or (claimed is not None and claimed != got):
            raise Failed(INTEGRITY)
        stream.open = None
        if opened["part"]:
            opened["part"].flush()
            os.fsync(opened["part"].fileno())
            opened["part"].close()
            os.chmod(opened["part"].name, 0o700 if opened["executable"] else 0o600)
            os.utime(opened["part"].name, (opened["modified"], opened["modified"]))
            os.rename(opened["part"].name, opened["target"])
        self.peer.emit(
            "file", link=self.peer.number, id=stream.identifier.hex(), path=opened["path"], bytes=size,
            blake2b=got.hex(), digest=claimed is not None, executable=opened["executable"],
            modified=opened["modified"])
        if stream.root[1] == FILE:
            self.complete(stream)
        elif stream.seen == stream.entries:
            self.complete_folder(stream)

    def complete_folder(self, stream):
        if stream.root and stream.root[1] == FOLDER:
            self.complete(stream)

    def complete(self, stream):
        if stream.seen == stream.entries and (stream.item + 1 != stream.items or stream.announced != stream.bytes):
            raise Failed(MALFORMED)
        self.say(peer.ACK, peer.ack(stream.identifier, stream.item))
        if stream.item + 1 == stream.items and stream.seen == stream.entries:
            del self.streams[stream.number]
            self.peer.emit("received", link=self.peer.number, id=stream.identifier.hex(), items=stream.items)

    def cancelled(self, number):
        """CANCEL from the sender: answered unless it answers ours."""
        if number in self.dead:
            return self.dead.discard(number)
        stream = self.streams.get(number)
        if stream:
            self.drop(stream)
            self.say(CANCEL, cancel(number, STOPPED))
            self.peer.emit("cancelled", link=self.peer.number, stream=number, reason="theirs")

    def drop(self, stream):
        self.streams.pop(stream.number, None)
        if stream.open and stream.open["part"]:
            stream.open["part"].close()
            os.remove(stream.open["part"].name)

    def abandon(self):
        for stream in list(self.streams.values()):
            self.drop(stream)
