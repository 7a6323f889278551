// What the limits share: a clock, whole reads and writes, a pair of processes over loopback, and how a figure is printed.
#pragma once
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static inline void fail(const char *what) {
  perror(what);
  exit(1);
}

static inline double clock_seconds(clockid_t clock) {
  struct timespec now;
  clock_gettime(clock, &now);
  return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static inline double seconds_now(void) { return clock_seconds(CLOCK_MONOTONIC); }

// The form that the driver reads: a name, a value, a unit.
static inline void report(const char *name, double value, const char *unit) {
  printf("%s %.6g %s\n", name, value, unit);
  fflush(stdout);
}

static inline void write_all(int descriptor, const void *bytes, size_t count) {
  const uint8_t *next = bytes;
  while (count > 0) {
    ssize_t written = write(descriptor, next, count);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) fail("write");
    next += written;
    count -= (size_t)written;
  }
}

// How many came: fewer than asked for only at the end.
static inline size_t read_all(int descriptor, void *bytes, size_t count) {
  uint8_t *next = bytes;
  size_t missing = count;
  while (missing > 0) {
    ssize_t got = read(descriptor, next, missing);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && errno == ECONNRESET) break;
    if (got < 0) fail("read");
    if (got == 0) break;
    next += got;
    missing -= (size_t)got;
  }
  return count - missing;
}

static inline int without_delay(int socket) {
  int on = 1;
  setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return socket;
}

// A listener on a free port of loopback.
static inline int listen_anywhere(struct sockaddr_in *address) {
  int listener = socket(AF_INET, SOCK_STREAM, 0);
  *address = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t length = sizeof *address;
  if (listener < 0 || bind(listener, (struct sockaddr *)address, length) != 0 || listen(listener, 128) != 0)
    fail("listen");
  getsockname(listener, (struct sockaddr *)address, &length);
  return listener;
}

static inline int dial(const struct sockaddr_in *address) {
  int connection = socket(AF_INET, SOCK_STREAM, 0);
  if (connection < 0 || connect(connection, (const struct sockaddr *)address, sizeof *address) != 0)
    fail("connect");
  return without_delay(connection);
}

static inline int accept_one(int listener) {
  int connection = accept(listener, NULL, NULL);
  if (connection < 0) fail("accept");
  return without_delay(connection);
}

// Starts the other process; it does not outlive this one.
static inline pid_t other_process(void (*body)(int), int argument) {
  pid_t child = fork();
  if (child < 0) fail("fork");
  if (child == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    body(argument);
    _exit(0);
  }
  return child;
}

static inline int ascending(const void *left, const void *right) {
  double a = *(const double *)left, b = *(const double *)right;
  return (a > b) - (a < b);
}

// The value below which the given part of the samples lies; sorts them.
static inline double quantile(double *samples, size_t count, double part) {
  qsort(samples, count, sizeof *samples, ascending);
  size_t index = (size_t)((double)count * part);
  return samples[index < count ? index : count - 1];
}
