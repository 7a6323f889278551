// System calls that Swift cannot call: variadic ones, and ones the C library has no wrapper for.
// Without _GNU_SOURCE: with it the C library's types differ from those other modules see.
// What the C library declares belongs to Swift's module of it, whichever module a program happens to load first.
#if defined(__linux__) && __has_feature(modules)
#pragma clang module import SwiftGlibc
#endif
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <netinet/in.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

// openat2(2). RESOLVE_BENEATH and friends come from <linux/openat2.h>.
static inline int secchat_openat2(int dirfd, const char *path, uint64_t flags, uint64_t mode,
                                  uint64_t resolve) {
  struct open_how how = {.flags = flags, .mode = mode, .resolve = resolve};
  return (int)syscall(SYS_openat2, dirfd, path, &how, sizeof how);
}

// The uid of the process at the other end of a Unix socket, or (uid_t)-1.
static inline uid_t secchat_peer_uid(int fd) {
  struct {
    pid_t pid;
    uid_t uid;
    gid_t gid;
  } credentials;
  socklen_t length = sizeof credentials;
  if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &length) != 0) return (uid_t)-1;
  return credentials.uid;
}

// A listening TCP socket, non-blocking and closed on exec, or a negative errno.
// The unspecified IPv6 address takes IPv4 connections too.
static inline int secchat_listen_tcp(const struct sockaddr *address, socklen_t length, int backlog) {
  int fd = socket(address->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return -errno;
  int yes = 1, no = 0;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  if (address->sa_family == AF_INET6) setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &no, sizeof no);
  if (bind(fd, address, length) == 0 && listen(fd, backlog) == 0) return fd;
  int error = errno;
  close(fd);
  return -error;
}

// A listening Unix socket of mode 0600 from its first instant, or a negative errno.
// fchmod before bind keeps others out on Linux whatever other threads do to the umask.
static inline int secchat_listen_unix(const char *path, int backlog) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  if (strlen(path) >= sizeof address.sun_path) return -ENAMETOOLONG;
  strcpy(address.sun_path, path);
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return -errno;
  fchmod(fd, 0600);
  mode_t before = umask(077);
  int bound = bind(fd, (const struct sockaddr *)&address, sizeof address);
  int error = errno;
  umask(before);
  if (bound == 0) {
    if (listen(fd, backlog) == 0) return fd;
    error = errno;
    unlink(path);
  }
  close(fd);
  return -error;
}

// The next connection, non-blocking and closed on exec, or a negative errno.
static inline int secchat_accept(int fd, struct sockaddr_storage *address) {
  socklen_t length = sizeof *address;
  int accepted = (int)syscall(SYS_accept4, fd, address, &length, SOCK_NONBLOCK | SOCK_CLOEXEC);
  return accepted < 0 ? -errno : accepted;
}

// Linux frees the descriptor even where close reports an error: there is nothing to try again.
static inline void secchat_close(int fd) { (void)close(fd); }

// What identifies a file on this machine: its device and inode; 0 where it exists, else an errno.
static inline int secchat_file_identity(const char *path, uint64_t *device, uint64_t *inode) {
  struct stat status;
  if (lstat(path, &status) != 0) return errno;
  *device = status.st_dev;
  *inode = status.st_ino;
  return 0;
}

// Renames within one folder and never over another name, or a negative errno. The kernel's flag; no C library function
// is relied on.
static inline int secchat_rename_new(int dirfd, const char *from, const char *to) {
  const unsigned no_replace = 1;
  return syscall(SYS_renameat2, dirfd, from, dirfd, to, no_replace) == 0 ? 0 : -errno;
}

// Waits until everything written to the file system of fd is on disk; 0 or a negative errno.
static inline int secchat_syncfs(int fd) { return syscall(SYS_syncfs, fd) == 0 ? 0 : -errno; }

// Starts writing a range of a file to disk and, with wait, sees it finished. Only a hint: fsync is what counts.
static inline void secchat_write_out(int fd, int64_t offset, int64_t count, int wait) {
  const unsigned wait_before = 1, write = 2, wait_after = 4;
  (void)syscall(SYS_sync_file_range, fd, offset, count, wait ? wait_before | write | wait_after : write);
}

// No core dump, neither to a file nor to a program (which the limit alone does not keep from it); nor may other programs
// of the same user look into the memory of this one.
static inline void secchat_forbid_core_dumps(void) {
  const struct rlimit none = {0, 0};
  (void)setrlimit(RLIMIT_CORE, &none);
  (void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}
