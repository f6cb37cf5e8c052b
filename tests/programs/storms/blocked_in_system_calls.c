// Threads that sleep in system calls of all kinds hold a block each, on their stacks only; none keeps the process from its end.
#include <errno.h>
#include <fcntl.h>
#include <mqueue.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static int fds[2];
static int listener;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
static pthread_mutex_t condition_mutex = PTHREAD_MUTEX_INITIALIZER;
static sem_t semaphore;
static pthread_barrier_t barrier;
static const struct timespec day = {86400, 0};

static void Read(void) {
  char byte;
  read(fds[0], &byte, 1);
}
static void Poll(void) { poll(&(struct pollfd){.fd = fds[0], .events = POLLIN}, 1, -1); }
static void Select(void) { select(0, NULL, NULL, NULL, NULL); }
static void Epoll(void) {
  struct epoll_event event;
  epoll_wait(epoll_create1(EPOLL_CLOEXEC), &event, 1, -1);
}
static void Sleep(void) { nanosleep(&day, NULL); }
static void SleepByClock(void) { clock_nanosleep(CLOCK_MONOTONIC, 0, &day, NULL); }
static void WaitForSignal(void) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGUSR2);
  sigtimedwait(&set, NULL, &day);
}
static void SuspendForSignal(void) {
  sigset_t set;
  sigemptyset(&set);
  sigsuspend(&set);
}
static void Accept(void) { accept(listener, NULL, NULL); }
static void Receive(void) {
  char byte;
  recv(fds[1], &byte, 1, 0);
}
static void LockMutex(void) { pthread_mutex_lock(&mutex); }
static void WaitForCondition(void) {
  pthread_mutex_lock(&condition_mutex);
  pthread_cond_wait(&condition, &condition_mutex);
}
static void WaitForSemaphore(void) { sem_wait(&semaphore); }
static void WaitAtBarrier(void) { pthread_barrier_wait(&barrier); }
static void Pause(void) { pause(); }

static void (*const calls[])(void) = {Read,
                                      Poll,
                                      Select,
                                      Epoll,
                                      Sleep,
                                      SleepByClock,
                                      WaitForSignal,
                                      SuspendForSignal,
                                      Accept,
                                      Receive,
                                      LockMutex,
                                      WaitForCondition,
                                      WaitForSemaphore,
                                      WaitAtBarrier,
                                      Pause};
enum { kCalls = sizeof(calls) / sizeof(calls[0]) };
static atomic_int ready;

// What was held on the stack only is still there when the call was interrupted and begun again.
static void* Work(void* call) {
  void* volatile held = malloc(37);  // leak: 15 blocks 555 bytes malloc is reachable
  ++ready;
  for (;;) (*(void (*const*)(void))call)();
  return held;
}

// Far from what its caller has below its stack pointer, which may be in use.
__attribute__((noinline)) static void Lose(void) {
  volatile char apart[512] = {0};
  void* volatile lost = malloc(38);  // leak: 1 block 38 bytes malloc is definite
  if (lost != NULL && apart[0] == 0) lost = NULL;
}

int main(void) {
  if (socketpair(AF_UNIX, SOCK_STREAM, 0, fds) != 0) return 1;
  listener = socket(AF_UNIX, SOCK_STREAM, 0);
  const struct sockaddr_un own = {.sun_family = AF_UNIX};
  if (bind(listener, (const struct sockaddr*)&own, sizeof(own.sun_family)) != 0 || listen(listener, 1) != 0) return 2;
  pthread_mutex_lock(&mutex);
  sem_init(&semaphore, 0, 0);
  pthread_barrier_init(&barrier, NULL, 2);
  Lose();
  pthread_t threads[kCalls];
  for (int i = 0; i < kCalls; ++i) pthread_create(&threads[i], NULL, Work, (void*)&calls[i]);
  while (ready < kCalls) usleep(100);
  usleep(20000);
  return 0;
}
