/*
 * Stands between a process and the file system (LD_PRELOAD), and makes the n-th call on a database file fail, or the
 * process end there. What it shall do stands in a control file of 32-bit integers, shared memory to this side; see
 * io-shim.ts for the other one.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/types.h>
#include <unistd.h>

enum { ARMED, CALLS, FILES, SKIP, TIMES, ACTION, SEEN, HITS, WORDS };
enum { SYNC = 1, WRITE = 2, TRUNCATE = 4, UNLINK = 8 };
enum { WAL = 1, DATABASE = 2, JOURNAL = 4 };
enum { COUNT_ONLY = 0, KILL_BEFORE = -1, KILL_AFTER = -2, WRITE_HALF = -3, HANG = -4 };

static volatile int32_t *control;
static char database[4096];

__attribute__((constructor)) static void attach(void) {
  const char *path = getenv("IO_SHIM_CONTROL");
  const char *file = getenv("IO_SHIM_DATABASE");
  if (!path || !file || strlen(file) >= sizeof database) return;
  int fd = open(path, O_RDWR | O_CLOEXEC);
  if (fd < 0) return;
  void *memory = mmap(NULL, WORDS * sizeof(int32_t), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  close(fd);
  if (memory == MAP_FAILED) return;
  strcpy(database, file);
  control = memory;
}

static int kindOf(const char *path) {
  size_t length = strlen(database);
  if (strncmp(path, database, length) != 0) return 0;
  if (path[length] == '\0') return DATABASE;
  if (strcmp(path + length, "-wal") == 0) return WAL;
  return strcmp(path + length, "-journal") == 0 ? JOURNAL : 0;
}

static int kindOfOpen(int fd) {
  char link[64], path[4096];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(link, path, sizeof path - 1);
  if (length <= 0) return 0;
  path[length] = '\0';
  return kindOf(path);
}

/* Returns what is to be done to this call: COUNT_ONLY lets it pass. */
static int decide(int call, int file) {
  if (!(control[CALLS] & call) || !(control[FILES] & file)) return COUNT_ONLY;
  int32_t seen = __atomic_add_fetch(&control[SEEN], 1, __ATOMIC_SEQ_CST);
  if (seen <= control[SKIP] || control[ACTION] == COUNT_ONLY) return COUNT_ONLY;
  if (control[TIMES] >= 0 && seen > control[SKIP] + control[TIMES]) return COUNT_ONLY;
  __atomic_add_fetch(&control[HITS], 1, __ATOMIC_SEQ_CST);
  if (control[ACTION] == KILL_BEFORE) kill(getpid(), SIGKILL);
  while (control[ACTION] == HANG && control[ARMED]) usleep(1000);
  return control[ACTION];
}

static int isArmed(void) { return control && control[ARMED]; }

#define REAL(name, type) \
  static __typeof__(type) *real; \
  if (!real) real = (__typeof__(type) *)dlsym(RTLD_NEXT, name)
#define PASS(action, call) \
  do { \
    if (action > 0) { errno = action; return -1; } \
    long result = (call); \
    if (action == KILL_AFTER) kill(getpid(), SIGKILL); \
    return result; \
  } while (0)

int fsync(int fd) {
  REAL("fsync", int (int));
  int action = isArmed() ? decide(SYNC, kindOfOpen(fd)) : COUNT_ONLY;
  PASS(action, real(fd));
}

int fdatasync(int fd) {
  REAL("fdatasync", int (int));
  int action = isArmed() ? decide(SYNC, kindOfOpen(fd)) : COUNT_ONLY;
  PASS(action, real(fd));
}

ssize_t pwrite64(int fd, const void *bytes, size_t count, off64_t offset) {
  REAL("pwrite64", ssize_t (int, const void *, size_t, off64_t));
  int action = isArmed() ? decide(WRITE, kindOfOpen(fd)) : COUNT_ONLY;
  if (action == WRITE_HALF) return real(fd, bytes, count / 2, offset);
  PASS(action, real(fd, bytes, count, offset));
}

ssize_t write(int fd, const void *bytes, size_t count) {
  REAL("write", ssize_t (int, const void *, size_t));
  int action = isArmed() ? decide(WRITE, kindOfOpen(fd)) : COUNT_ONLY;
  if (action == WRITE_HALF) return real(fd, bytes, count / 2);
  PASS(action, real(fd, bytes, count));
}

int ftruncate64(int fd, off64_t length) {
  REAL("ftruncate64", int (int, off64_t));
  int action = isArmed() ? decide(TRUNCATE, kindOfOpen(fd)) : COUNT_ONLY;
  PASS(action, real(fd, length));
}

int unlink(const char *path) {
  REAL("unlink", int (const char *));
  int action = isArmed() ? decide(UNLINK, kindOf(path)) : COUNT_ONLY;
  PASS(action, real(path));
}
