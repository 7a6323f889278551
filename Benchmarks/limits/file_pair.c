// The least that two processes can do to move one file over TCP: one thread each, 64 KiB at a time, each block sealed
// with a counter as its nonce. The key is fixed and nobody shakes hands: this is a limit, not a way to send files.
//
//   file_pair plain|sodium-chacha|sodium-aes|openssl-aes SOURCE TARGET
//
// It ends when the receiver has written and closed the whole file. The caller takes the time.
#include "common.h"

#include <fcntl.h>
#include <openssl/evp.h>
#include <sodium.h>
#include <sys/stat.h>

enum { block_size = 65536, tag_size = 16, key_size = 32, nonce_size = 12 };

static const uint8_t key[key_size] = {1};
static uint8_t nonce[nonce_size];
static uint8_t block[block_size + tag_size];

typedef struct {
  const char *name;
  size_t tag;
  void (*prepare)(int sealing);
  // In place: `count` bytes of text in the block become as many and a tag, or the other way round.
  void (*seal)(size_t count);
  void (*open)(size_t count);
} cipher;

static void check(int done) {
  if (!done) {
    fprintf(stderr, "the cipher failed\n");
    exit(1);
  }
}

// No encryption.
static void nothing_to_prepare(int sealing) { (void)sealing; }
static void keep(size_t count) { (void)count; }

// libsodium, ChaCha20-Poly1305 (RFC 8439).
static void chacha_seal(size_t count) {
  crypto_aead_chacha20poly1305_ietf_encrypt(block, NULL, block, count, NULL, 0, NULL, nonce, key);
}
static void chacha_open(size_t count) {
  check(crypto_aead_chacha20poly1305_ietf_decrypt(
          block, NULL, NULL, block, count + tag_size, NULL, 0, nonce, key) == 0);
}

// libsodium, AES-256-GCM with the processor's instructions.
static crypto_aead_aes256gcm_state aes_state;

static void aes_prepare(int sealing) {
  (void)sealing;
  if (!crypto_aead_aes256gcm_is_available()) {
    fprintf(stderr, "this processor has no AES instructions\n");
    exit(4);
  }
  crypto_aead_aes256gcm_beforenm(&aes_state, key);
}
static void aes_seal(size_t count) {
  crypto_aead_aes256gcm_encrypt_afternm(block, NULL, block, count, NULL, 0, NULL, nonce, &aes_state);
}
static void aes_open(size_t count) {
  check(crypto_aead_aes256gcm_decrypt_afternm(
          block, NULL, NULL, block, count + tag_size, NULL, 0, nonce, &aes_state) == 0);
}

// OpenSSL, AES-256-GCM: the key schedule is made once, each block sets only its nonce.
static EVP_CIPHER_CTX *evp;

static void evp_prepare(int sealing) {
  evp = EVP_CIPHER_CTX_new();
  check(EVP_CipherInit_ex(evp, EVP_aes_256_gcm(), NULL, key, nonce, sealing) == 1);
}
static void evp_run(size_t count) {
  int made = 0, rest = 0;
  check(EVP_CipherUpdate(evp, block, &made, block, (int)count) == 1);
  check(EVP_CipherFinal_ex(evp, block + made, &rest) == 1);
}
static void evp_seal(size_t count) {
  EVP_CipherInit_ex(evp, NULL, NULL, NULL, nonce, -1);
  evp_run(count);
  EVP_CIPHER_CTX_ctrl(evp, EVP_CTRL_AEAD_GET_TAG, tag_size, block + count);
}
static void evp_open(size_t count) {
  EVP_CipherInit_ex(evp, NULL, NULL, NULL, nonce, -1);
  EVP_CIPHER_CTX_ctrl(evp, EVP_CTRL_AEAD_SET_TAG, tag_size, block + count);
  evp_run(count);
}

static const cipher ciphers[] = {
  {"plain", 0, nothing_to_prepare, keep, keep},
  {"sodium-chacha", tag_size, nothing_to_prepare, chacha_seal, chacha_open},
  {"sodium-aes", tag_size, aes_prepare, aes_seal, aes_open},
  {"openssl-aes", tag_size, evp_prepare, evp_seal, evp_open},
};

static const cipher *chosen;
static const char *source_path, *target_path;

static size_t next_block(uint64_t left) { return left < block_size ? (size_t)left : block_size; }

static void receive_file(int listener) {
  int connection = accept_one(listener);
  int target = open(target_path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
  if (target < 0) fail(target_path);
  chosen->prepare(0);
  uint64_t left;
  check(read_all(connection, &left, sizeof left) == sizeof left);
  while (left > 0) {
    size_t count = next_block(left);
    check(read_all(connection, block, count + chosen->tag) == count + chosen->tag);
    sodium_increment(nonce, nonce_size);
    chosen->open(count);
    write_all(target, block, count);
    left -= count;
  }
  if (close(target) != 0) fail("close");
  write_all(connection, "k", 1);
}

static void send_file(const struct sockaddr_in *address) {
  int source = open(source_path, O_RDONLY);
  struct stat status;
  if (source < 0 || fstat(source, &status) != 0) fail(source_path);
  int connection = dial(address);
  chosen->prepare(1);
  uint64_t left = (uint64_t)status.st_size;
  write_all(connection, &left, sizeof left);
  while (left > 0) {
    size_t count = next_block(left);
    check(read_all(source, block, count) == count);
    sodium_increment(nonce, nonce_size);
    chosen->seal(count);
    write_all(connection, block, count + chosen->tag);
    left -= count;
  }
  uint8_t confirmation;
  check(read_all(connection, &confirmation, 1) == 1);
}

int main(int count, char **arguments) {
  if (count != 4 || sodium_init() < 0) return 2;
  for (size_t i = 0; i < sizeof ciphers / sizeof *ciphers; i++)
    if (strcmp(arguments[1], ciphers[i].name) == 0) chosen = &ciphers[i];
  if (chosen == NULL) return 2;
  source_path = arguments[2];
  target_path = arguments[3];

  struct sockaddr_in address;
  int listener = listen_anywhere(&address);
  pid_t receiver = other_process(receive_file, listener);
  send_file(&address);
  int status = 0;
  waitpid(receiver, &status, 0);
  return status == 0 ? 0 : 1;
}
