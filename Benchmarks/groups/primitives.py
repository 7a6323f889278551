"""The cryptography on one core: as we call it, and libsodium from C."""

from harness.contest import Contest
from harness.table import Aim, plain, row

# What the C program calls it; what secchat-bench does; what the table says.
FIGURES = [
    ("chacha-seal", "chacha20poly1305_seal", "ChaCha20-Poly1305 seals 64 KiB", "MB/s"),
    ("chacha-open", "chacha20poly1305_open", "ChaCha20-Poly1305 opens 64 KiB", "MB/s"),
    ("aes-seal", "aes256gcm_seal", "AES-256-GCM seals 64 KiB", "MB/s"),
    ("aes-open", "aes256gcm_open", "AES-256-GCM opens 64 KiB", "MB/s"),
    ("blake2b", "blake2b", "BLAKE2b of 64 KiB", "MB/s"),
    ("x25519", "x25519", "X25519", "/s"),
    ("x25519-base", "x25519_base", "a key pair of X25519", "/s"),
    ("ed25519-sign", "ed25519_sign", "Ed25519 signs 128 bytes", "/s"),
    ("ed25519-verify", "ed25519_verify", "Ed25519 verifies 128 bytes", "/s"),
]


def measure(bench):
    seconds = 0.2 if bench.quick else 1
    contest = Contest("primitives")
    contest.add("secchat", lambda: bench.programs.bench("primitives", seconds=seconds))
    contest.add("libsodium from C", lambda: bench.programs.limit("primitives", seconds))
    bench.run(contest)
    rows = []
    for name, own, what, unit in FIGURES:
        rows.append(row(contest, what, unit, own, "secchat", "libsodium from C", name)
                    or plain(contest, "libsodium from C", name, what, unit))
    return rows + handshakes(bench)


def handshakes(bench):
    """Noise XK, both sides on one core, beside its six products and two key pairs of X25519 alone."""
    contest = Contest("handshakes")
    contest.add("secchat", lambda: bench.programs.bench("handshakes", seconds=0.3 if bench.quick else 2))
    bench.run(contest)
    # The program measures both, one after the other.
    contest.candidates["its X25519 alone"] = None
    contest.samples["its X25519 alone", "xk_x25519_alone"] = contest.samples.get(("secchat", "xk_x25519_alone"))
    return [row(contest, "XK handshakes on one core, both sides", "/s", "xk_handshakes", "secchat", "its X25519 alone",
                "xk_x25519_alone", aim=Aim("≥", 0.7))]
