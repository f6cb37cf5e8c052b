// A program annotated for LeakSanitizer (sanitizer/lsan_interface.h, whose functions it declares weak). Silent and 0 without mallocspy, too.
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

__attribute__((weak)) void __lsan_disable(void);
__attribute__((weak)) void __lsan_enable(void);
__attribute__((weak)) void __lsan_ignore_object(const void* block);
__attribute__((weak)) void __lsan_register_root_region(const void* start, size_t bytes);
__attribute__((weak)) void __lsan_unregister_root_region(const void* start, size_t bytes);
__attribute__((weak)) int __lsan_do_recoverable_leak_check(void);

static void* volatile sink;
static void** mapped;

static void Forget(void) {
  volatile char room[8192];
  memset((void*)room, 0, sizeof(room));
}

__attribute__((noinline)) static void LoseDisabled(void) {
  __lsan_disable();
  __lsan_disable();
  sink = malloc(5);  // leak: 1 block 5 bytes malloc is reachable from ignored
  __lsan_enable();
  sink = malloc(6);  // leak: 1 block 6 bytes malloc is reachable from ignored
  __lsan_enable();
  sink = NULL;
}

__attribute__((noinline)) static void LoseIgnored(void) {
  sink = malloc(9);  // leak: 1 block 9 bytes malloc is reachable from ignored
  __lsan_ignore_object(sink);
  sink = NULL;
}

// A shared mapping of a file is no root, unless it is registered.
__attribute__((noinline)) static void HideInFile(void) {
  FILE* file = tmpfile();
  if (ftruncate(fileno(file), 4096) != 0) abort();
  mapped = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fileno(file), 0);
  fclose(file);
  mapped[100] = malloc(10);  // leak: 1 block 10 bytes malloc is reachable from ignored
}

// The check prints what it finds on standard error.
static int Check(void) {
  const int kept = dup(2);
  const int null = open("/dev/null", O_WRONLY);
  dup2(null, 2);
  Forget();
  const int result = __lsan_do_recoverable_leak_check();
  dup2(kept, 2);
  close(kept);
  close(null);
  return result;
}

int main(void) {
  if (__lsan_disable == NULL) return 0;
  LoseDisabled();
  LoseIgnored();
  if (Check() != 0) return puts("what is ignored was found"), 1;
  HideInFile();
  if (Check() == 0) return puts("the file is a root"), 2;
  __lsan_register_root_region(mapped, 4096);
  if (Check() != 0) return puts("the registered file is no root"), 3;
  __lsan_unregister_root_region(mapped, 4096);
  if (Check() == 0) return puts("the file is still a root"), 4;
  __lsan_register_root_region(mapped, 4096);
  return 0;
}
