// Below a ceiling of live blocks: operator new throws, and what is deleted makes room.
// library options: max_blocks=1000
// plain: differs
// prints: threw with 900 to 1000 live, then 100 more
#include <cstdio>
#include <cstring>
#include <new>

int main() {
  static char buffer[1000];
  setvbuf(stdout, buffer, _IOFBF, sizeof(buffer));
  static int* blocks[2000];
  int live = 0;
  bool threw = false;
  try {
    for (; live < 2000; ++live) blocks[live] = new int(live);
  } catch (const std::bad_alloc&) {
    threw = true;
  }
  for (int i = 0; i < 100; ++i) delete blocks[i];
  static int* others[2000];
  int more = 0;
  for (; more < 2000; ++more) {
    others[more] = new (std::nothrow) int(more);
    if (others[more] == nullptr) break;
  }
  std::printf("%s with %s live, then %d more\n", threw ? "threw" : "did not throw", live >= 900 && live <= 1000 ? "900 to 1000" : "other", more);
  for (int i = 0; i < more; ++i) delete others[i];
  for (int i = 100; i < live; ++i) delete blocks[i];
  return 0;
}
