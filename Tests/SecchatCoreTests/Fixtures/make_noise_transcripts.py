"""Writes noise-transcripts.json with the Python package noiseprotocol 0.3.1, independent of secchat.

    python3 make_noise_transcripts.py > noise-transcripts.json
"""
import json
import hashlib

from noise.connection import Keypair, NoiseConnection


def key(label):
    return hashlib.sha256(b"secchat test " + label.encode()).digest()


def public(private):
    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

    return X25519PrivateKey.from_private_bytes(private).public_key().public_bytes_raw()


def side(name, role, prologue, local, remote, psk):
    connection = NoiseConnection.from_name(name.encode())
    connection.set_prologue(prologue)
    connection.set_keypair_from_private_bytes(Keypair.EPHEMERAL, key(role + " ephemeral"))
    if local:
        connection.set_keypair_from_private_bytes(Keypair.STATIC, local)
    if remote:
        connection.set_keypair_from_public_bytes(Keypair.REMOTE_STATIC, remote)
    if psk:
        connection.set_psks(psk)
    if role == "init":
        connection.set_as_initiator()
    else:
        connection.set_as_responder()
    connection.start_handshake()
    return connection


def transcript(name, initiator_static, responder_known, psk=None, rekey_before=None):
    prologue = b"secchat transcript"
    responder_static = key("resp static")
    local = key("init static") if initiator_static else None
    remote = public(responder_static) if responder_known else None
    a = side(name, "init", prologue, local, remote, psk)
    b = side(name, "resp", prologue, responder_static, None, psk)
    messages = []
    for index in range(10):
        if index == rekey_before:
            for connection in (a, b):
                connection.rekey_outbound_cipher()
                connection.rekey_inbound_cipher()
        writer, reader = (a, b) if index % 2 == 0 else (b, a)
        payload = f"message {index}".encode() * (index % 4)
        if writer.handshake_finished:
            sealed = writer.encrypt(payload)
            assert reader.decrypt(sealed) == payload
        else:
            sealed = bytes(writer.write_message(payload))
            assert bytes(reader.read_message(sealed)) == payload
        messages.append({"payload": payload.hex(), "ciphertext": bytes(sealed).hex()})
    result = {"protocol_name": name, "init_prologue": prologue.hex(), "resp_prologue": prologue.hex()}
    if local:
        result["init_static"] = local.hex()
    if remote:
        result["init_remote_static"] = remote.hex()
    if psk:
        result["init_psks"] = result["resp_psks"] = [psk.hex()]
    result["resp_static"] = responder_static.hex()
    result["init_ephemeral"] = key("init ephemeral").hex()
    result["resp_ephemeral"] = key("resp ephemeral").hex()
    result["handshake_hash"] = bytes(a.get_handshake_hash()).hex()
    if rekey_before:
        result["rekey_before"] = rekey_before
    result["messages"] = messages
    return result


print(json.dumps({"vectors": [
    transcript("Noise_XK_25519_ChaChaPoly_SHA256", True, True),
    transcript("Noise_XX_25519_ChaChaPoly_SHA256", True, False),
    transcript("Noise_NK_25519_ChaChaPoly_SHA512", False, True),
    transcript("Noise_IKpsk2_25519_ChaChaPoly_BLAKE2b", True, True, psk=key("psk")),
    transcript("Noise_XK_25519_ChaChaPoly_SHA256", True, True, rekey_before=6),
]}, indent=1))
