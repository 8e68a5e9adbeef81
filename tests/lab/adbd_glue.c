/* What Debian's build of adbd lacks to be a phone's. Loaded in front of it (LD_PRELOAD); adbd itself stays as it is.
 *
 * 1. It stays on this computer: no vsock, and every listener on loopback only.
 * 2. Its framework socket: off Android libcutils gives none, so nobody could be asked "Allow USB debugging?".
 * 3. The end of its USB threads: adbd asks pthread_kill(thread, 0) until it says ESRCH. bionic says so of a thread that
 *    has ended; glibc since 2.34 says 0 until it is joined, and adbd would wait for ever when the cable is pulled.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#define REAL(name) ((typeof(&name))dlsym(RTLD_NEXT, #name))

int socket(int domain, int type, int protocol) {
  if (domain == AF_VSOCK) {
    errno = EAFNOSUPPORT;
    return -1;
  }
  return REAL(socket)(domain, type, protocol);
}

int bind(int fd, const struct sockaddr *address, socklen_t size) {
  if (address->sa_family == AF_INET) {
    struct sockaddr_in here = *(const struct sockaddr_in *)address;
    here.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return REAL(bind)(fd, (struct sockaddr *)&here, sizeof here);
  }
  if (address->sa_family == AF_INET6) {
    /* ::ffff:127.0.0.1, which IPv4 reaches too. */
    static const unsigned char loopback[16] = {[10] = 0xff, [11] = 0xff, [12] = 127, [15] = 1};
    struct sockaddr_in6 here = *(const struct sockaddr_in6 *)address;
    memcpy(&here.sin6_addr, loopback, sizeof loopback);
    return REAL(bind)(fd, (struct sockaddr *)&here, sizeof here);
  }
  return REAL(bind)(fd, address, size);
}

int android_get_control_socket(const char *name) {
  (void)name;
  const char *fd = getenv("ANDROID_SOCKET_adbd");
  return fd ? atoi(fd) : -1;
}

/* glibc keeps a thread's kernel id in its descriptor and sets it to 0 at the end. Where it stands is found by looking
   for our own; it has been near 0x2d0 in every release. */
static int tid_at = -1;

__attribute__((constructor)) static void find_tid(void) {
  const char *self = (const char *)pthread_self();
  int tid = (int)syscall(SYS_gettid);
  for (int at = 0x2c0; at < 0x340; at += 4)
    if (*(const int *)(self + at) == tid) {
      tid_at = at;
      return;
    }
}

int pthread_kill(pthread_t thread, int number) {
  if (tid_at >= 0 && *(volatile int *)((char *)thread + tid_at) == 0) return ESRCH;
  return REAL(pthread_kill)(thread, number);
}
