/*
 * Cuts the power of one mounted file system: everything that is not on its disk is gone, nothing more is written.
 * With "gone" behind the folder its disk is pulled out instead: what was written so far is brought to it before.
 * EXT4_IOC_SHUTDOWN in https://github.com/torvalds/linux/blob/master/fs/ext4/ext4.h
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/ioctl.h>

#define SHUTDOWN _IOR('X', 125, uint32_t)
#define FLUSHING_ALL 0
#define WITHOUT_FLUSHING_THE_JOURNAL 2

int main(int count, char **arguments) {
  uint32_t how = count == 3 ? FLUSHING_ALL : WITHOUT_FLUSHING_THE_JOURNAL;
  int folder = count >= 2 ? open(arguments[1], O_RDONLY | O_DIRECTORY) : -1;
  if (folder >= 0 && ioctl(folder, SHUTDOWN, &how) == 0) return 0;
  perror("power-cut");
  return 1;
}
