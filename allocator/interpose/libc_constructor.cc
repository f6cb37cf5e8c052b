#include "allocator/interpose/libc_constructor.h"

#include <link.h>
#include <unistd.h>

#include <cstring>

namespace mallocspy {
namespace {

using Constructor = void (*)(int, char**, char**);

struct ConstructorList {
  const Constructor* first = nullptr;
  size_t count = 0;
};

bool IsLibc(const char* path) {
  const char* slash = path != nullptr ? std::strrchr(path, '/') : nullptr;
  return slash != nullptr && std::strcmp(slash + 1, "libc.so.6") == 0;
}

int FindConstructors(dl_phdr_info* info, size_t, void* context) {
  if (!IsLibc(info->dlpi_name)) return 0;
  ConstructorList* list = static_cast<ConstructorList*>(context);
  for (int i = 0; i < info->dlpi_phnum; ++i) {
    if (info->dlpi_phdr[i].p_type != PT_DYNAMIC) continue;
    const ElfW(Dyn)* entry = reinterpret_cast<const ElfW(Dyn)*>(info->dlpi_addr + info->dlpi_phdr[i].p_vaddr);
    for (; entry->d_tag != DT_NULL; ++entry) {
      if (entry->d_tag == DT_INIT_ARRAY) {
        list->first = reinterpret_cast<const Constructor*>(info->dlpi_addr + entry->d_un.d_ptr);
      }
      if (entry->d_tag == DT_INIT_ARRAYSZ) list->count = entry->d_un.d_val / sizeof(Constructor);
    }
  }
  return 1;
}

}  // namespace

void ConstructLibcEarly(int count, char** arguments, char** environment) {
  if (environ != nullptr) return;
  ConstructorList list;
  dl_iterate_phdr(FindConstructors, &list);
  for (size_t i = 0; list.first != nullptr && i < list.count; ++i) list.first[i](count, arguments, environment);
}

}  // namespace mallocspy
