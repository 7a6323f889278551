// Two XMPP clients in a process each, alice and bob, on a server with direct TLS. alice sends messages of `SIZE`
// characters, bob answers each with a receipt (XEP-0184); `WINDOW` are under way at once.
//
//   xmpp PORT MESSAGES SIZE WINDOW
//
// It knows just enough of XMPP to log in with a password and to find where a stanza ends.
#include "common.h"

#include <openssl/ssl.h>

enum { buffer_size = 1 << 18 };

typedef struct {
  SSL *link;
  const char *name;
  // What has come and is not used yet; always ends with a zero.
  char buffer[buffer_size];
  size_t used;
} client;

static client self;
static struct sockaddr_in server = {.sin_family = AF_INET};

static void give_up(const char *what) {
  fprintf(stderr, "%s: %s: %.300s\n", self.name, what, self.buffer);
  exit(1);
}

static void send_text(const char *text, size_t length) {
  if (SSL_write(self.link, text, (int)length) != (int)length) give_up("write");
}

static void say(const char *text) { send_text(text, strlen(text)); }

static void receive_more(void) {
  if (self.used + 1 >= buffer_size) give_up("too much came");
  int got = SSL_read(self.link, self.buffer + self.used, (int)(buffer_size - 1 - self.used));
  if (got <= 0) give_up("read");
  self.used += (size_t)got;
  self.buffer[self.used] = 0;
}

// Forgets what has been used, up to here.
static void keep_from(const char *rest) {
  self.used -= (size_t)(rest - self.buffer);
  memmove(self.buffer, rest, self.used + 1);
}

static void wait_for(const char *text) {
  char *found;
  while ((found = strstr(self.buffer, text)) == NULL) {
    if (strstr(self.buffer, "<failure") || strstr(self.buffer, "stream:error")) give_up("refused");
    receive_more();
  }
  keep_from(found + strlen(text));
}

static void log_in(const char *name) {
  static const char opening[] =
    "<?xml version='1.0'?><stream:stream to='localhost' version='1.0' xmlns='jabber:client' "
    "xmlns:stream='http://etherx.jabber.org/streams'>";
  self.name = name;
  SSL_CTX *context = SSL_CTX_new(TLS_client_method());
  self.link = SSL_new(context);
  SSL_set_tlsext_host_name(self.link, "localhost");
  SSL_set_fd(self.link, dial(&server));
  if (SSL_connect(self.link) != 1) give_up("TLS");
  say(opening);
  wait_for("</stream:features>");

  uint8_t plain[64], encoded[128];
  int length = snprintf((char *)plain, sizeof plain, "%c%s%cnot a secret", 0, name, 0);
  EVP_EncodeBlock(encoded, plain, length);
  char text[512];
  snprintf(text, sizeof text, "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>%s</auth>", encoded);
  say(text);
  wait_for("<success");
  wait_for(">");
  say(opening);
  wait_for("</stream:features>");
  say("<iq type='set' id='bind'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><resource>bench</resource></bind>"
      "</iq>");
  wait_for("</iq>");
}

// How many whole messages have come; `each` is called with the text of every one.
static int take_messages(void (*each)(const char *, const char *)) {
  static const char end_tag[] = "</message>";
  int count = 0;
  char *start = self.buffer, *end;
  while ((end = strstr(start, end_tag)) != NULL) {
    end += sizeof end_tag - 1;
    if (each) each(start, end);
    start = end;
    count++;
  }
  keep_from(start);
  return count;
}

// Receipts that go out together.
static char answers[buffer_size];
static size_t answers_used;

static void acknowledge(const char *start, const char *end) {
  const char *id = strstr(start, " id='");
  if (id == NULL || id > end) give_up("a message without an id");
  id += strlen(" id='");
  answers_used += (size_t)snprintf(
    answers + answers_used, sizeof answers - answers_used,
    "<message to='alice@localhost/bench' id='r%.*s'><received xmlns='urn:xmpp:receipts' id='%.*s'/></message>",
    (int)strcspn(id, "'"), id, (int)strcspn(id, "'"), id);
}

// The other end of a pipe learns that bob is there.
static void be_bob(int ready) {
  log_in("bob");
  write_all(ready, "k", 1);
  for (;;) {
    receive_more();
    answers_used = 0;
    if (take_messages(acknowledge) > 0) send_text(answers, answers_used);
  }
}

static char body[4096];

static void send_messages(size_t first, size_t count) {
  static char text[buffer_size];
  size_t used = 0;
  for (size_t i = 0; i < count; i++)
    used += (size_t)snprintf(
      text + used, sizeof text - used,
      "<message to='bob@localhost/bench' type='chat' id='m%zu'><body>%s</body><request xmlns='urn:xmpp:receipts'/>"
      "</message>",
      first + i, body);
  send_text(text, used);
}

static size_t receive_receipts(void) {
  for (;;) {
    int found = take_messages(NULL);
    if (found > 0) return (size_t)found;
    receive_more();
  }
}

int main(int count, char **arguments) {
  if (count != 5) return 2;
  server.sin_port = htons((uint16_t)atoi(arguments[1]));
  server.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  size_t total = strtoul(arguments[2], NULL, 10), size = strtoul(arguments[3], NULL, 10);
  size_t window = strtoul(arguments[4], NULL, 10);
  if (total < 1 || size >= sizeof body || window < 1 || window > 200) return 2;
  memset(body, 'x', size);

  int ready[2];
  char byte;
  if (pipe(ready) != 0) fail("pipe");
  pid_t bob = other_process(be_bob, ready[1]);
  close(ready[1]);
  if (read_all(ready[0], &byte, 1) != 1) return 1;
  log_in("alice");

  double *samples = calloc(total, sizeof *samples), start = seconds_now();
  size_t sent = window < total ? window : total, acknowledged = 0;
  double begun = start;
  send_messages(0, sent);
  while (acknowledged < total) {
    size_t came = receive_receipts();
    double now = seconds_now();
    // With one under way this is how long it took; otherwise nobody looks at it.
    samples[acknowledged] = (now - begun) * 1e6;
    begun = now;
    acknowledged += came;
    size_t more = came < total - sent ? came : total - sent;
    if (more > 0) send_messages(sent, more);
    sent += more;
  }
  report("rate", (double)total / (seconds_now() - start), "messages/s");
  if (window == 1) {
    report("round-trip", quantile(samples, total, 0.5), "us");
    report("round-trip-p99", quantile(samples, total, 0.99), "us");
  }
  kill(bob, SIGKILL);
  waitpid(bob, NULL, 0);
  return 0;
}
