// What libc and libstdc++ keep for themselves to the end and would free if they were asked (__libc_freeres, __gnu_cxx::__freeres): in a
// copy of the process they are, and it is noted what they free. So no such block is taken for the program's leak.
#pragma once

namespace mallocspy {

// Calls freed(block, context) for each block that they free; nothing is freed in fact. In a copy of the process only, whose descriptors
// but for standard error and `kept_fd` (-1: none) are closed: libc flushes its streams first. Comes back in a second at the latest,
// whatever they do. Nothing is done where that cannot be had.
void FindLibraryCaches(int kept_fd, void (*freed)(void* block, void* context), void* context);

}  // namespace mallocspy
