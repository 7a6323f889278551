// How often a second the disk takes a page for good: 4 KiB written after those before, and flushed.
#include "common.h"
#include <fcntl.h>

int main(int argc, char **argv) {
  if (argc < 3) {
    fprintf(stderr, "usage: flush PATH COUNT\n");
    return 1;
  }
  int count = atoi(argv[2]);
  int file = open(argv[1], O_RDWR | O_CREAT | O_TRUNC, 0600);
  if (file < 0) fail(argv[1]);
  uint8_t page[4096];
  memset(page, 7, sizeof page);
  double begun = seconds_now();
  for (int number = 0; number < count; number++) {
    if (pwrite(file, page, sizeof page, (off_t)number * (off_t)sizeof page) != (ssize_t)sizeof page) fail("pwrite");
    if (fdatasync(file) != 0) fail("fdatasync");
  }
  double seconds = seconds_now() - begun;
  close(file);
  unlink(argv[1]);
  report("flushes", count / seconds, "/s");
  report("flush", seconds / count * 1e6, "us");
  return 0;
}
