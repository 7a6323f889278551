// TLS 1.3 between two processes on loopback: connect, shake hands, one message of 64 bytes there and back, gone. Both
// sides show a certificate and check the other's, as the two ends of a link do. No session is taken up again.
//
//   tls_connect ROUNDS CERTIFICATE KEY
#include "common.h"

#include <openssl/err.h>
#include <openssl/ssl.h>

enum { message_size = 64 };
static SSL_CTX *context;
static uint8_t message[message_size];

static void fail_with_reason(const char *what) {
  fprintf(stderr, "%s: ", what);
  ERR_print_errors_fp(stderr);
  exit(1);
}

static SSL_CTX *make_context(const char *certificate, const char *key) {
  SSL_CTX *made = SSL_CTX_new(TLS_method());
  SSL_CTX_set_min_proto_version(made, TLS1_3_VERSION);
  SSL_CTX_set_session_cache_mode(made, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_num_tickets(made, 0);
  SSL_CTX_set1_groups_list(made, "X25519");
  SSL_CTX_set_verify(made, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
  if (SSL_CTX_use_certificate_file(made, certificate, SSL_FILETYPE_PEM) != 1 ||
      SSL_CTX_use_PrivateKey_file(made, key, SSL_FILETYPE_PEM) != 1 ||
      SSL_CTX_load_verify_locations(made, certificate, NULL) != 1)
    fail_with_reason("certificate");
  return made;
}

static void read_message(SSL *link) {
  int got = 0;
  while (got < message_size) {
    int more = SSL_read(link, message + got, message_size - got);
    if (more <= 0) fail_with_reason("read");
    got += more;
  }
}

static void end(SSL *link, int connection) {
  SSL_free(link);
  close(connection);
}

// Ends when the other side connects without a word.
static void serve(int listener) {
  for (;;) {
    int connection = accept_one(listener);
    SSL *link = SSL_new(context);
    SSL_set_fd(link, connection);
    if (SSL_accept(link) != 1) break;
    read_message(link);
    if (SSL_write(link, message, message_size) != message_size) fail_with_reason("write");
    end(link, connection);
  }
}

static void connect_once(const struct sockaddr_in *address) {
  int connection = dial(address);
  SSL *link = SSL_new(context);
  SSL_set_fd(link, connection);
  if (SSL_connect(link) != 1) fail_with_reason("connect");
  if (SSL_write(link, message, message_size) != message_size) fail_with_reason("write");
  read_message(link);
  end(link, connection);
}

int main(int count, char **arguments) {
  if (count != 4) return 2;
  size_t rounds = strtoul(arguments[1], NULL, 10);
  if (rounds < 10) return 2;
  signal(SIGPIPE, SIG_IGN);
  context = make_context(arguments[2], arguments[3]);
  struct sockaddr_in address;
  int listener = listen_anywhere(&address);
  pid_t server = other_process(serve, listener);

  double *samples = calloc(rounds, sizeof *samples), all = seconds_now();
  for (size_t i = 0; i < rounds; i++) {
    double start = seconds_now();
    connect_once(&address);
    samples[i] = (seconds_now() - start) * 1e6;
  }
  double spent = seconds_now() - all;
  close(dial(&address));
  waitpid(server, NULL, 0);
  report("connect-rate", (double)rounds / spent, "connections/s");
  report("connect", quantile(samples, rounds, 0.5), "us");
  report("connect-p99", quantile(samples, rounds, 0.99), "us");
  free(samples);
  return 0;
}
