"""Makes every example of docs/protocol.md from the inputs of its appendix A, and says which differ."""

import re
import warnings

from . import device_list, files, key_file, keys, link, peer, prekeys, ratchet, registry, sealed, x3dh
from .codec import flag, network_address, optional, u8, u16, u32, user_name

BLOCK = re.compile(r"^```(hex|text) ([a-z0-9-]+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)

PASSPHRASE = b"correct horse battery staple"


def blocks(text):
    """name → bytes of a hex block, or the text of a text block."""
    return {
        name: bytes.fromhex(body) if kind == "hex" else body.rstrip("\n") for kind, name, body in BLOCK.findall(text)
    }


def repeated(*values):
    return [bytes([value]) * 32 for value in values]


def compare(text):
    """(how many examples there are, the names of those that differ or that this page does not make)."""
    written = blocks(text)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # noiseprotocol warns of ephemeral keys that were not made at random.
        made = make(written["key-file"] + "\n")
    differing = sorted(name for name in written if written[name] != made.get(name))
    return len(written), differing


def make(written_key_file):
    """The examples by name. The key file's salt and nonce are taken from the file itself."""
    alice = keys.Identity(*repeated(1, 2, 3, 4), created=1_700_000_000)
    bob = keys.Identity(*repeated(0x11, 0x12, 0x13, 0x14), created=1_700_000_001)
    second = keys.Identity(*repeated(1, 6, 7, 8), created=1_700_000_002, device=2)
    (registry_private,) = repeated(0x21)
    server = keys.agreement_public(registry_private)
    alice_account = device_list.account(server, "alice")
    bob_account = device_list.account(server, "bob")
    first = device_list.device_list(alice.identity, alice_account, 1, bytes(32), [device_list.device(alice)])
    signed = device_list.signed(alice.seed, first)
    later = device_list.device_list(
        alice.identity, alice_account, 2, keys.blake2b(first),
        [device_list.device(alice), device_list.device(second)])
    signed_later = device_list.signed(alice.seed, later, (1, alice.signing_seed))
    bobs = device_list.signed(
        bob.seed,
        device_list.device_list(bob.identity, bob_account, 1, bytes(32), [device_list.device(bob)]))
    bob_address = network_address("192.0.2.7", 4000)
    identifier = bytes(range(16))
    made, envelope = seal(alice, alice_account, bob, bob_account, identifier)
    chat = u8(peer.CHAT) + peer.chat(identifier, True, envelope)
    login = u8(registry.LOGIN) + registry.login(7, "alice", 1, 5000)
    logged_in = u8(registry.LOGGED_IN) + u32(7) + network_address("2001:db8::1", 5000) + u32(90) + u32(30)
    alive = u8(registry.ALIVE) + u32(7) + u32(90)
    number = keys.safety_number((alice_account, alice.identity), (bob_account, bob.identity))
    opened, storage, parameters = key_file.read(written_key_file, PASSPHRASE)
    assert (opened.seed, opened.link, storage) == (alice.seed, alice.link, bytes([5]) * 32)
    made |= {
        "identity-key-text": keys.key_text(keys.IDENTITY_PREFIX, alice.identity),
        "registry-key-text": keys.key_text(keys.REGISTRY_PREFIX, server),
        "identity-fingerprint": keys.fingerprint(keys.IDENTITY_FINGERPRINT, alice.identity),
        "registry-fingerprint": keys.fingerprint(keys.REGISTRY_FINGERPRINT, server),
        "user-name": user_name("alice"),
        "account": alice_account,
        "device-list": first,
        "signed-device-list": signed,
        "signed-device-list-2": signed_later,
        "prologue-registry": link.REGISTRY_PROLOGUE,
        "prologue-peer": link.peer_prologue(bob_account, 1),
        "ping": u8(link.PING),
        "pong": u8(link.PONG),
        "rekey": u8(link.REKEY),
        "close": u8(link.CLOSE) + u8(link.DONE),
        "registered": u8(registry.REGISTERED) + u32(7) + flag(False),
        "login": login,
        "logged-in": logged_in,
        "list": u8(registry.LIST) + registry.list_(7, "alice"),
        "listed": u8(registry.LISTED) + u32(7) + flag(True) + u16(1) + user_name("bob") + bob.identity + bob_address,
        "lookup": u8(registry.LOOKUP) + registry.lookup(7, "bob"),
        "found": u8(registry.FOUND) + u32(7) + optional(bob_address) + u16(len(bobs)) + bobs,
        "heartbeat": u8(registry.HEARTBEAT) + u32(7),
        "alive": alive,
        "logout": u8(registry.LOGOUT) + u32(7),
        "logged-out": u8(registry.LOGGED_OUT) + u32(7),
        "watch": u8(registry.WATCH) + registry.watch(7, True, ["alice", "bob"]),
        "watching": u8(registry.WATCHING) + u32(7),
        "presence": u8(registry.PRESENCE) + user_name("bob") + optional(bob_address),
        "failure": u8(registry.FAILURE) + u32(7) + u8(5) + u32(12),
        "hello-responder": peer.hello(1, bobs),
        "hello-initiator": peer.hello(1, signed),
        "chat": chat,
        "ack": u8(peer.ACK) + peer.ack(identifier, 0),
        "refuse": u8(peer.REFUSE) + peer.refuse(identifier, 1),
        "ready": u8(peer.READY) + peer.ready(0, peer.CHAT_CREDIT),
        "offer": u8(files.OFFER) + files.offer(1, identifier, 1, 1, 5, b"notes.txt"),
        "accept": u8(files.ACCEPT) + files.accept(1),
        "accept-held": u8(files.ACCEPT) + files.accept(1, (0, 1, 3, files.held_digest([(
            files.entry(1, 0, files.FILE, False, 1_700_000_004, 5, b"notes.txt"), b"hel")]))),
        "resume": u8(files.RESUME) + files.resume(1, True),
        "entry": u8(files.ENTRY) + files.entry(1, 0, files.FILE, False, 1_700_000_004, 5, b"notes.txt"),
        "chunk": u8(files.CHUNK) + files.chunk(1, b"hello"),
        "end": u8(files.END) + files.end(1, 5, keys.blake2b(b"hello")),
        "end-without-digest": u8(files.END) + files.end(1, 5, None),
        "cancel": u8(files.CANCEL) + files.cancel(1, files.STOPPED),
        "safety-number": " ".join(number[place : place + 5] for place in range(0, 60, 5)),
        "key-file": key_file.write(opened, storage, PASSPHRASE, *parameters).rstrip("\n"),
        "link-key-alice": alice.link,
        "link-key-bob": bob.link,
        "link-key-registry": server,
    }

    # The transcripts of appendix B.
    client, responder = handshake(
        "XK", link.REGISTRY_PROLOGUE, alice.link_private, registry_private, repeated(0x31, 0x32), b"", b"")
    made |= transcript("registry-link", link.XK, client.messages)
    made["registry-link-hash"] = client.hash
    statement = registry.register_statement(client.hash, alice_account, signed)
    made["register-statement"] = statement
    made["register"] = u8(registry.REGISTER) + registry.register(
        7, signed, keys.sign(alice.seed, keys.REGISTER, statement))
    made |= registry_prekeys(alice, bob, bob_account, client.hash)
    made["registry-link-login"] = client.frame(login)
    made["registry-link-logged-in"] = responder.frame(logged_in)
    made["registry-link-rekey"] = client.frame(u8(link.REKEY))
    client.state.rekey_outbound_cipher()
    made["registry-link-heartbeat"] = client.frame(made["heartbeat"])
    made["registry-link-alive"] = responder.frame(alive)
    made["registry-link-close"] = client.frame(made["close"])

    client, responder = handshake(
        "XK", made["prologue-peer"], alice.link_private, bob.link_private, repeated(0x33, 0x34),
        made["hello-responder"], made["hello-initiator"])
    made |= transcript("peer-link", link.XK, client.messages)
    made["peer-link-hash"] = client.hash
    made["peer-link-ready-responder"] = responder.frame(made["ready"])
    made["peer-link-ready-initiator"] = client.frame(made["ready"])
    made["peer-link-chat"] = client.frame(chat)
    made["peer-link-ack"] = responder.frame(made["ack"])

    client, _ = handshake("NX", link.REGISTRY_PROLOGUE, None, registry_private, repeated(0x35, 0x36), b"", b"")
    made |= transcript("inquiry", link.NX, client.messages)
    return made


def seal(alice, alice_account, bob, bob_account, identifier):
    """The examples of section 13, Alice's first message to Bob; and its envelope."""
    signed_private, one_time_private, ephemeral, ratchet_private = repeated(0x16, 0x17, 0x60, 0x61)
    signed = prekeys.SignedPrekey.sign(
        bob.signing_seed, bob_account, 1, 1, 1_702_592_001, keys.agreement_public(signed_private))
    one_time = keys.agreement_public(one_time_private)
    root = x3dh.initiate(alice.messaging_private, ephemeral, bob.messaging, signed.key, one_time)
    initiation = sealed.Initiation(keys.agreement_public(ephemeral), 1, 2)
    assert root == x3dh.respond(
        bob.messaging_private, signed_private, one_time_private, alice.messaging, initiation.ephemeral)
    bound = sealed.binding(
        sealed.party(alice_account, alice.identity, 1, alice.messaging),
        sealed.party(bob_account, bob.identity, 1, bob.messaging), initiation)
    content = sealed.content(1, bytes(32), sealed.Message(identifier, 1_700_000_003_000, text="Hello, Bob! 👋"))
    state = ratchet.Ratchet.initiator(root, signed.key, ratchet_private)
    key = ratchet.chain_step(state.cks)[1]
    header, ciphertext = state.encrypt(
        content, lambda header: bound + sealed.before_sealed(bound[:16], initiation, header), b"\x62" * 24)
    envelope = sealed.Envelope(bound[:16], initiation, header, ciphertext)
    made = {
        "signed-prekey-statement": prekeys.statement(bob_account, 1, 1, signed.expires, signed.key),
        "x3dh-root": root,
        "initiation": initiation.bytes,
        "session-binding": bound,
        "message-key": key,
        "envelope": envelope.bytes,
        "content": content,
        "inquire": u8(peer.INQUIRE),
        "prekeys": u8(peer.PREKEYS) + prekeys.offer(signed.bytes, prekeys.one_time(2, one_time)),
    }
    return made, envelope


def registry_prekeys(alice, bob, bob_account, handshake_hash):
    """The examples of sections 6.10 and 6.11."""
    signed_key, *one_time = [keys.agreement_public(private) for private in repeated(0x61, 0x62, 0x63)]
    signed = prekeys.SignedPrekey.sign(bob.signing_seed, bob_account, 1, 3, 1_701_209_600, signed_key)
    fresh = [prekeys.one_time(41, one_time[0]), prekeys.one_time(42, one_time[1])]
    statement = registry.reset_statement(handshake_hash, bob_account, 1, 41)
    reset = (41, keys.sign(alice.signing_seed, keys.PREKEY_RESET, statement))
    return {
        "publish-statement": prekeys.statement(bob_account, 1, 3, signed.expires, signed_key),
        "publish": u8(registry.PUBLISH) + prekeys.publish(7, False, signed.bytes, [17, 18], fresh),
        "publish-nothing": u8(registry.PUBLISH) + prekeys.publish(7, False, None, [], []),
        "published": u8(registry.PUBLISHED) + u32(7) + u32(3) + u16(82),
        "stock": u8(registry.STOCK) + u16(19),
        "fetch": u8(registry.FETCH) + registry.fetch(7, "bob", 1),
        "reset-statement": statement,
        "fetch-reset": u8(registry.FETCH) + registry.fetch(7, "bob", 1, reset),
        "bundle": u8(registry.BUNDLE) + u32(7) + prekeys.offer(signed.bytes, fresh[0]),
        "bundle-without-one-time": u8(registry.BUNDLE) + u32(7) + prekeys.offer(signed.bytes, None),
    }


def transcript(name, opening, messages):
    framed = [u16(len(message)) + message for message in messages]
    framed[0] = opening + framed[0]
    return {f"{name}-{place + 1}": message for place, message in enumerate(framed)}


class Side:
    """One side of a transcript."""

    def __init__(self, state, messages):
        self.state, self.messages, self.hash = state, messages, bytes(state.get_handshake_hash())

    def frame(self, plaintext):
        message = bytes(self.state.encrypt(plaintext))
        return u16(len(message)) + message


def handshake(pattern, hashed, initiator, responder, ephemerals, second, third):
    """Both sides of a handshake, with fixed ephemeral keys."""
    remote = keys.agreement_public(responder) if pattern == "XK" else None
    one = link.noise(pattern, True, hashed, initiator, remote, ephemerals[0])
    other = link.noise(pattern, False, hashed, responder, None, ephemerals[1])
    messages = [bytes(one.write_message())]
    other.read_message(messages[0])
    messages.append(bytes(other.write_message(second)))
    one.read_message(messages[1])
    if pattern == "XK":
        messages.append(bytes(one.write_message(third)))
        other.read_message(messages[2])
    return Side(one, messages), Side(other, messages)
