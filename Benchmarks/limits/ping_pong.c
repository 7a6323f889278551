// Raw TCP between two processes on loopback: how long a small message takes there and back, how many go one way with a
// write each, and how many connections a second can be made, used once and dropped.
//
//   ping_pong ROUNDS [apart|together]     each process on a core of its own, or both on one; else where the system likes
#include "common.h"

#include <sched.h>

enum { longest = 65536 };
static uint8_t buffer[longest];

// What a connection is for is said by its first bytes.
typedef struct {
  uint32_t size;
  // 0: every message is sent back. Otherwise: so many come, and one byte answers them all.
  uint32_t one_way;
} purpose;

static void serve(int listener) {
  for (;;) {
    int connection = accept_one(listener);
    purpose asked;
    if (read_all(connection, &asked, sizeof asked) == sizeof asked) {
      if (asked.one_way > 0) {
        size_t left = (size_t)asked.one_way * asked.size;
        while (left > 0) {
          ssize_t got = read(connection, buffer, left < longest ? left : longest);
          if (got <= 0) fail("read");
          left -= (size_t)got;
        }
        write_all(connection, "k", 1);
      } else {
        while (read_all(connection, buffer, asked.size) == asked.size) write_all(connection, buffer, asked.size);
      }
    }
    close(connection);
  }
}

static void there_and_back(const struct sockaddr_in *address, uint32_t size, size_t rounds) {
  int connection = dial(address);
  write_all(connection, &(purpose){size, 0}, sizeof(purpose));
  double *samples = calloc(rounds, sizeof *samples);
  for (size_t i = 0; i < rounds; i++) {
    double start = seconds_now();
    write_all(connection, buffer, size);
    if (read_all(connection, buffer, size) != size) fail("read");
    samples[i] = (seconds_now() - start) * 1e6;
  }
  close(connection);
  char name[64];
  snprintf(name, sizeof name, "round-trip-%u", size);
  report(name, quantile(samples, rounds, 0.5), "us");
  snprintf(name, sizeof name, "round-trip-%u-p99", size);
  report(name, quantile(samples, rounds, 0.99), "us");
  free(samples);
}

static void one_way(const struct sockaddr_in *address, uint32_t size, uint32_t messages) {
  int connection = dial(address);
  write_all(connection, &(purpose){size, messages}, sizeof(purpose));
  double start = seconds_now();
  for (uint32_t i = 0; i < messages; i++) write_all(connection, buffer, size);
  if (read_all(connection, buffer, 1) != 1) fail("read");
  char name[64];
  snprintf(name, sizeof name, "one-way-%u", size);
  report(name, messages / (seconds_now() - start), "messages/s");
  close(connection);
}

static void connect_and_ask(const struct sockaddr_in *address, size_t rounds) {
  double *samples = calloc(rounds, sizeof *samples), all = seconds_now();
  for (size_t i = 0; i < rounds; i++) {
    double start = seconds_now();
    int connection = dial(address);
    write_all(connection, &(purpose){64, 0}, sizeof(purpose));
    write_all(connection, buffer, 64);
    if (read_all(connection, buffer, 64) != 64) fail("read");
    samples[i] = (seconds_now() - start) * 1e6;
    // A reset leaves no port waiting.
    setsockopt(connection, SOL_SOCKET, SO_LINGER, &(struct linger){1, 0}, sizeof(struct linger));
    close(connection);
  }
  report("connect-rate", rounds / (seconds_now() - all), "connections/s");
  report("connect", quantile(samples, rounds, 0.5), "us");
  free(samples);
}

static void stay_on(int core) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(core, &set);
  if (sched_setaffinity(0, sizeof set, &set) != 0) fail("sched_setaffinity");
}

int main(int count, char **arguments) {
  size_t rounds = count > 1 ? strtoul(arguments[1], NULL, 10) : 50000;
  if (rounds < 100) return 2;
  struct sockaddr_in address;
  int listener = listen_anywhere(&address);
  const char *where = count > 2 ? arguments[2] : "";
  if (strcmp(where, "together") == 0 || strcmp(where, "apart") == 0) stay_on(0);
  pid_t server = other_process(serve, listener);
  if (strcmp(where, "apart") == 0) stay_on(1);
  there_and_back(&address, 64, rounds);
  there_and_back(&address, 300, rounds);
  one_way(&address, 64, (uint32_t)rounds * 4);
  one_way(&address, 300, (uint32_t)rounds * 4);
  connect_and_ask(&address, rounds / 10);
  kill(server, SIGKILL);
  waitpid(server, NULL, 0);
  return 0;
}
