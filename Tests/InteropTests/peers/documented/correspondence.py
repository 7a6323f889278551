"""Sections 13.3 to 13.5: the sessions with one device, and each side's place in its messages."""

import os

from . import keys, sealed, x3dh
from .ratchet import Ratchet, Undecryptable

MOST_SESSIONS = 4
NOWHERE = (0, bytes(32))


class UnknownPrekey(Exception):
    """An initiation names prekeys that are not here."""


class Session:
    def __init__(self, bound, ratchet, initiation, ours):
        self.binding, self.name, self.ratchet = bound, bound[:16], ratchet
        # `initiation` goes with every message until one of the responder's has come in the session.
        self.initiation, self.ours, self.answered = initiation, ours, not ours
        self.sent = False

    def seal(self, plaintext):
        self.sent = True
        header, ciphertext = self.ratchet.encrypt(
            plaintext, lambda header: self.binding + sealed.before_sealed(self.name, self.initiation, header))
        return sealed.Envelope(self.name, self.initiation, header, ciphertext)

    def open(self, envelope):
        plaintext = self.ratchet.decrypt(envelope.header, envelope.sealed, self.binding + envelope.before)
        self.answered, self.initiation = True, None
        return plaintext


class Correspondence:
    """`me` is one's own Identity; `ours` and `theirs` are encoded Parties, and the keys of the other device."""

    def __init__(self, me, ours, theirs, identity, messaging):
        self.me, self.ours, self.theirs, self.identity, self.messaging = me, ours, theirs, identity, messaging
        self.sessions, self.must_begin = [], False
        # Places: what the other side has confirmed, what is on its way as well, and what has come.
        self.confirmed = self.written = self.received = NOWHERE

    def insert(self, place, session):
        self.sessions.insert(place, session)
        del self.sessions[MOST_SESSIONS:]

    # Sending.

    @property
    def needs_prekeys(self):
        return not self.sessions or self.must_begin

    def begin(self, signed, one_time):
        """Begins a session with a SignedPrekey that was checked, and a one-time prekey (id, key) or None."""
        ephemeral = os.urandom(32)
        root = x3dh.initiate(
            self.me.messaging_private, ephemeral, self.messaging, signed.key, one_time and one_time[1])
        initiation = sealed.Initiation(keys.agreement_public(ephemeral), signed.number, one_time and one_time[0])
        bound = sealed.binding(self.ours, self.theirs, initiation)
        self.insert(0, Session(bound, Ratchet.initiator(root, signed.key), initiation, True))
        self.must_begin = False

    def rewind(self):
        """All that is not confirmed is sealed again."""
        self.written = self.confirmed

    def seal(self, message):
        """(Envelope, the message's place)."""
        sequence, previous = self.written[0] + 1, self.written[1]
        encoded = sealed.content(sequence, previous, message)
        envelope = self.sessions[0].seal(encoded)
        self.written = (sequence, sealed.chained(encoded))
        return envelope, self.written

    def confirm(self, place):
        self.confirmed = place

    def refused(self, name):
        """The other side does not have the session of that name, or its prekeys."""
        if self.sessions and self.sessions[0].name == name:
            self.must_begin = True

    # Receiving.

    def open(self, envelope, secrets):
        """(Message, the Initiation of a session that it began, what the user is to be told); `secrets` finds prekeys."""
        known = next((session for session in self.sessions if session.name == envelope.session), None)
        if known:
            encoded = known.open(envelope)
            first = self.sessions[0]
            alone = first is not known and first.ours and not first.answered and not self.must_begin
            if alone and not known.ours and not known.sent and self.identity < self.me.identity:
                self.sessions.remove(known)
                self.sessions.insert(0, known)
            message, news = self.follow(encoded)
            return message, None, news
        initiation = envelope.initiation
        if initiation is None:
            raise Undecryptable("session")
        found = secrets(initiation)
        if found is None:
            raise UnknownPrekey()
        session = self.answer(initiation, *found)
        if session.name != envelope.session:
            raise Undecryptable("name of the session")
        encoded = session.open(envelope)
        sealed.read_content(encoded)
        first = self.sessions[0] if self.sessions else None
        both_at_once = first and first.ours and not first.answered and not self.must_begin
        self.insert(1 if both_at_once and self.me.identity < self.identity else 0, session)
        self.must_begin = False
        message, news = self.follow(encoded)
        return message, initiation, news

    def answer(self, initiation, signed, one_time):
        root = x3dh.respond(self.me.messaging_private, signed, one_time, self.messaging, initiation.ephemeral)
        bound = sealed.binding(self.theirs, self.ours, initiation)
        return Session(bound, Ratchet.responder(root, signed), None, False)

    def follow(self, encoded):
        sequence, previous, message = sealed.read_content(encoded)
        expected, news = self.received[0] + 1, None
        if sequence > expected:
            news, self.must_begin = f"missing {sequence - expected}", True
        elif (sequence, previous) != (expected, self.received[1]):
            news = "rolled back"
        self.received = (sequence, sealed.chained(encoded))
        return message, news
