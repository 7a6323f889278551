"""The cryptography on one core: as we call it, and libsodium from C."""

from harness.contest import Contest
from harness.table import Aim, plain, row

NAMES = {
    "chacha-seal": ("ChaCha20-Poly1305 seals 64 KiB", "MB/s"),
    "chacha-open": ("ChaCha20-Poly1305 opens 64 KiB", "MB/s"),
    "aes-seal": ("AES-256-GCM seals 64 KiB", "MB/s"),
    "aes-open": ("AES-256-GCM opens 64 KiB", "MB/s"),
    "blake2b": ("BLAKE2b of 64 KiB", "MB/s"),
    "x25519": ("X25519", "/s"),
    "x25519-base": ("X25519 of the base point", "/s"),
    "ed25519-sign": ("Ed25519 signs 128 bytes", "/s"),
    "ed25519-verify": ("Ed25519 verifies 128 bytes", "/s"),
}


def measure(bench):
    seconds = 0.2 if bench.quick else 1
    contest = Contest("primitives")
    bench.ours(contest, "secchat", "primitives", seconds)
    contest.add("libsodium", lambda: bench.programs.limit("primitives", seconds))
    bench.run(contest)
    return [row(contest, what, unit, name, "secchat", "libsodium") or plain(contest, "libsodium", name, what, unit)
            for name, (what, unit) in NAMES.items()]
