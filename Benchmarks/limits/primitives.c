// What libsodium does on one core: its AEADs on 64 KiB that stay in the cache, its hashes, and operations on Curve25519.
//
//   primitives SECONDS     for each
#include "common.h"

#include <sodium.h>

enum { block_size = 65536, overhead = 16, short_text = 128 };

static uint8_t text[block_size], sealed[block_size + overhead], opened[block_size + overhead];
static uint8_t key[32], nonce[24], digest[32], shared[32];
static uint8_t secret[crypto_scalarmult_SCALARBYTES], public[crypto_scalarmult_BYTES];
static uint8_t signing[crypto_sign_SECRETKEYBYTES], verifying[crypto_sign_PUBLICKEYBYTES], signature[crypto_sign_BYTES];
static crypto_aead_aes256gcm_state aes;

// Each returns 0 when all is well, as libsodium's own functions do.
static int chacha_seal(void) {
  sodium_increment(nonce, crypto_aead_chacha20poly1305_IETF_NPUBBYTES);
  return crypto_aead_chacha20poly1305_ietf_encrypt(sealed, NULL, text, block_size, NULL, 0, NULL, nonce, key);
}
static int chacha_open(void) {
  return crypto_aead_chacha20poly1305_ietf_decrypt(
    opened, NULL, NULL, sealed, sizeof sealed, NULL, 0, nonce, key);
}
static int aes_seal(void) {
  sodium_increment(nonce, crypto_aead_aes256gcm_NPUBBYTES);
  return crypto_aead_aes256gcm_encrypt_afternm(sealed, NULL, text, block_size, NULL, 0, NULL, nonce, &aes);
}
static int aes_open(void) {
  return crypto_aead_aes256gcm_decrypt_afternm(opened, NULL, NULL, sealed, sizeof sealed, NULL, 0, nonce, &aes);
}
static int blake2b(void) { return crypto_generichash(digest, sizeof digest, text, block_size, NULL, 0); }
static int sha256(void) { return crypto_hash_sha256(digest, text, block_size); }
static int x25519(void) { return crypto_scalarmult(shared, secret, public); }
static int x25519_base(void) { return crypto_scalarmult_base(shared, secret); }
static int ed25519_sign(void) { return crypto_sign_detached(signature, NULL, text, short_text, signing); }
static int ed25519_verify(void) { return crypto_sign_verify_detached(signature, text, short_text, verifying); }

static void measure(const char *name, int (*operation)(void), double duration, double amount, const char *unit) {
  enum { between_looks_at_the_clock = 16 };
  double start = seconds_now(), spent;
  size_t done = 0;
  do {
    for (int i = 0; i < between_looks_at_the_clock; i++) {
      if (operation() != 0) {
        fprintf(stderr, "%s failed\n", name);
        exit(1);
      }
    }
    done += between_looks_at_the_clock;
    spent = seconds_now() - start;
  } while (spent < duration);
  report(name, (double)done * amount / spent, unit);
}

int main(int count, char **arguments) {
  double duration = count > 1 ? strtod(arguments[1], NULL) : 1;
  if (sodium_init() < 0) return 1;
  randombytes_buf(text, sizeof text);
  randombytes_buf(key, sizeof key);
  crypto_box_keypair(public, secret);
  crypto_sign_keypair(verifying, signing);

  const double megabytes = block_size / 1e6;
  measure("chacha-seal", chacha_seal, duration, megabytes, "MB/s");
  measure("chacha-open", chacha_open, duration, megabytes, "MB/s");
  if (crypto_aead_aes256gcm_is_available()) {
    crypto_aead_aes256gcm_beforenm(&aes, key);
    measure("aes-seal", aes_seal, duration, megabytes, "MB/s");
    measure("aes-open", aes_open, duration, megabytes, "MB/s");
  }
  measure("blake2b", blake2b, duration, megabytes, "MB/s");
  measure("sha256", sha256, duration, megabytes, "MB/s");
  measure("x25519", x25519, duration, 1, "/s");
  measure("x25519-base", x25519_base, duration, 1, "/s");
  measure("ed25519-sign", ed25519_sign, duration, 1, "/s");
  measure("ed25519-verify", ed25519_verify, duration, 1, "/s");
  return 0;
}
