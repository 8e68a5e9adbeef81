/* A program of the lab phone (pm, dumpsys ...): sends its name and arguments to programs.py, and prints what comes back.

   One request: the number of arguments, and each of them behind its length, as 32-bit numbers. One answer: the lengths of
   standard output and standard error, the exit status, and the two texts. */
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static void transfer(int file, void *data, size_t size, int writing) {
  char *at = data;
  while (size) {
    ssize_t done = writing ? write(file, at, size) : read(file, at, size);
    if (done <= 0) exit(125);
    at += done;
    size -= done;
  }
}

static void copy(int from, int to, uint32_t size) {
  char buffer[65536];
  while (size) {
    uint32_t part = size < sizeof buffer ? size : sizeof buffer;
    transfer(from, buffer, part, 0);
    transfer(to, buffer, part, 1);
    size -= part;
  }
}

int main(int count, char **arguments) {
  struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "/run/programs"};
  int file = socket(AF_UNIX, SOCK_STREAM, 0);
  if (connect(file, (struct sockaddr *)&address, sizeof address)) return 126;
  char *name = strrchr(arguments[0], '/');
  if (name) arguments[0] = name + 1;
  uint32_t number = count;
  transfer(file, &number, sizeof number, 1);
  for (int i = 0; i < count; i++) {
    number = strlen(arguments[i]);
    transfer(file, &number, sizeof number, 1);
    transfer(file, arguments[i], number, 1);
  }
  uint32_t answer[3];
  transfer(file, answer, sizeof answer, 0);
  copy(file, STDOUT_FILENO, answer[0]);
  copy(file, STDERR_FILENO, answer[1]);
  return answer[2];
}
