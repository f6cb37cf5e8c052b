#include "allocator/ledger/module_table.h"

#include <dlfcn.h>
#include <gtest/gtest.h>
#include <link.h>

#include <atomic>
#include <cstring>
#include <filesystem>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "tests/allocator/fresh_process.h"
#include "tests/scratch_directory.h"

namespace mallocspy::ledger {
namespace {

uint32_t ModuleOf(uint64_t site) { return static_cast<uint32_t>(site >> kSiteModuleShift); }
uint64_t OffsetOf(uint64_t site) { return site & kSiteOffsetMask; }
const Module& ModuleAt(uint32_t index) { return *g_ledger.At<Module>(TableId::kModules, index); }

std::string PathOf(uint32_t index) {
  const StringRef path = ModuleAt(index).path;
  return std::string(g_ledger.At<char>(TableId::kStrings, path.offset), path.length);
}

uint64_t SiteIn(const void* function) { return g_modules.SiteOf(reinterpret_cast<uintptr_t>(function) + 1); }

class Library {
 public:
  explicit Library(const std::string& path) : handle_(dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL)) {
    if (handle_ == nullptr) ADD_FAILURE() << dlerror();
  }
  // As the door of dlclose does it.
  void Close() {
    dlclose(handle_);
    g_modules.Refresh();
  }
  const void* Code() const { return dlsym(handle_, "CodeLibraryNumber"); }
  int Number() const { return reinterpret_cast<int (*)()>(dlsym(handle_, "CodeLibraryNumber"))(); }

 private:
  void* handle_;
};

TEST(ModuleTable, KnowsTheProgram) {
  InFreshProcess([] {
    ASSERT_TRUE(g_ledger.Create(nullptr, 1));
    const auto here = reinterpret_cast<const void*>(&PathOf);
    const uint64_t site = SiteIn(here);
    ASSERT_NE(ModuleOf(site), 0u);
    const Module& module = ModuleAt(ModuleOf(site));
    EXPECT_EQ(module.flags & kModuleExecutable, uint32_t{kModuleExecutable});
    EXPECT_EQ(module.flags & kModuleSelf, 0u);
    EXPECT_EQ(PathOf(ModuleOf(site)), std::filesystem::read_symlink("/proc/self/exe"));
    EXPECT_EQ(OffsetOf(site), reinterpret_cast<uintptr_t>(here) + 1 - module.bias);
    EXPECT_LE(module.start, reinterpret_cast<uintptr_t>(here));
    EXPECT_GT(module.end, reinterpret_cast<uintptr_t>(here));
    EXPECT_EQ(module.unloaded, 0u);
    EXPECT_EQ(g_modules.SiteOfKnown(reinterpret_cast<uintptr_t>(here) + 1), site);
  });
}

TEST(ModuleTable, KnowsLibcAndItsBuildId) {
  InFreshProcess([] {
    ASSERT_TRUE(g_ledger.Create(nullptr, 1));
    // Not by its name in this program, which may be a stub of it.
    const void* code = dlsym(RTLD_NEXT, "qsort");
    Dl_info info;
    ASSERT_NE(dladdr(code, &info), 0);
    const uint64_t site = SiteIn(code);
    ASSERT_NE(ModuleOf(site), 0u);
    const Module& module = ModuleAt(ModuleOf(site));
    EXPECT_EQ(PathOf(ModuleOf(site)), info.dli_fname);
    EXPECT_EQ(module.start, reinterpret_cast<uintptr_t>(info.dli_fbase));
    EXPECT_EQ(module.build_id_bytes, 20u);
    EXPECT_EQ(module.flags, 0u);
    EXPECT_NE(ModuleOf(site), ModuleOf(SiteIn(reinterpret_cast<const void*>(&PathOf))));
  });
}

TEST(ModuleTable, WhatIsNoCodeHasNoModule) {
  InFreshProcess([] {
    ASSERT_TRUE(g_ledger.Create(nullptr, 1));
    static int global;
    int local;
    for (const uintptr_t address : {uintptr_t{0}, uintptr_t{1}, reinterpret_cast<uintptr_t>(&local), uintptr_t{0x7fffffffffff},
                                    reinterpret_cast<uintptr_t>(&global)}) {
      EXPECT_EQ(g_modules.SiteOf(address), address);
      EXPECT_EQ(g_modules.SiteOfKnown(address), address);
    }
    EXPECT_EQ(ModuleOf(g_modules.SiteOf(~uintptr_t{0})), 0u);
  });
}

// A call that never returns may be the last instruction of a module.
TEST(ModuleTable, AReturnAddressMayLieJustBehindTheCode) {
  InFreshProcess([] {
    ASSERT_TRUE(g_ledger.Create(nullptr, 1));
    struct Segment {
      uintptr_t start = 0;
      uintptr_t end = 0;
    } code;
    dl_iterate_phdr(
        [](dl_phdr_info* info, size_t, void* context) {
          Segment* segment = static_cast<Segment*>(context);
          for (int i = 0; i < info->dlpi_phnum; ++i) {
            const ElfW(Phdr)& header = info->dlpi_phdr[i];
            if (header.p_type != PT_LOAD || (header.p_flags & PF_X) == 0) continue;
            segment->start = info->dlpi_addr + header.p_vaddr;
            segment->end = segment->start + header.p_memsz;
          }
          return 1;
        },
        &code);
    ASSERT_NE(code.start, 0u);
    const uint32_t program = ModuleOf(SiteIn(reinterpret_cast<const void*>(&PathOf)));
    EXPECT_EQ(ModuleOf(g_modules.SiteOf(code.end)), program);
    EXPECT_EQ(ModuleOf(g_modules.SiteOf(code.end + 1)), 0u);
    EXPECT_EQ(ModuleOf(g_modules.SiteOf(code.start + 1)), program);
    EXPECT_EQ(ModuleOf(g_modules.SiteOf(code.start)), 0u);
  });
}

TEST(ModuleTable, LibrariesComeAndGo) {
  InFreshProcess([] {
    ASSERT_TRUE(g_ledger.Create(nullptr, 1));
    g_modules.Refresh();
    const uint32_t before = g_ledger.Count(TableId::kModules);
    g_modules.Refresh();
    EXPECT_EQ(g_ledger.Count(TableId::kModules), before) << "nothing changed";

    Library library(CODE_LIBRARY_A);
    const uint64_t site = SiteIn(library.Code());
    EXPECT_EQ(ModuleOf(site), before);
    EXPECT_EQ(PathOf(before), CODE_LIBRARY_A);
    EXPECT_EQ(g_ledger.Count(TableId::kModules), before + 1);

    const uintptr_t code = reinterpret_cast<uintptr_t>(library.Code());
    library.Close();
    EXPECT_NE(ModuleAt(before).unloaded, 0u);
    EXPECT_GT(ModuleAt(before).unloaded, ModuleAt(before).loaded);
    EXPECT_EQ(PathOf(before), CODE_LIBRARY_A) << "its frames keep their names";
    EXPECT_EQ(ModuleOf(g_modules.SiteOf(code + 1)), 0u);
  });
}

void ExpectOthersAtTheSamePlace(const char* first_path, const char* second_path) {
  ASSERT_TRUE(g_ledger.Create(nullptr, 1));
  Library first(first_path);
  const void* code = first.Code();
  const int first_number = first.Number();
  const uint64_t first_site = SiteIn(code);
  first.Close();
  Library second(second_path);
  ASSERT_EQ(second.Code(), code) << "the two must lie at one address for this test";
  EXPECT_NE(second.Number(), first_number);
  const uint64_t second_site = SiteIn(code);
  EXPECT_NE(ModuleOf(first_site), 0u);
  EXPECT_NE(ModuleOf(second_site), ModuleOf(first_site));
  EXPECT_EQ(OffsetOf(second_site), OffsetOf(first_site));
  EXPECT_EQ(PathOf(ModuleOf(first_site)), first_path);
  EXPECT_EQ(PathOf(ModuleOf(second_site)), second_path);
  // Once more the first one: a third stay, a third record.
  second.Close();
  Library third(first_path);
  ASSERT_EQ(third.Code(), code);
  const uint64_t third_site = SiteIn(code);
  EXPECT_NE(ModuleOf(third_site), ModuleOf(first_site));
  EXPECT_NE(ModuleOf(third_site), ModuleOf(second_site));
  EXPECT_EQ(PathOf(ModuleOf(third_site)), first_path);
}

TEST(ModuleTable, AnotherLibraryAtTheSamePlace) {
  InFreshProcess([] { ExpectOthersAtTheSamePlace(CODE_LIBRARY_A, CODE_LIBRARY_B); });
}

TEST(ModuleTable, AnotherLibraryAtTheSamePlaceNeitherWithABuildId) {
  InFreshProcess([] { ExpectOthersAtTheSamePlace(CODE_LIBRARY_C, CODE_LIBRARY_D); });
}

// Between two looks at the loader's list one may have taken the other's place.
TEST(ModuleTable, AnotherLibraryAtTheSamePlaceSeenAtOnce) {
  for (const auto& [first, second] : {std::pair{CODE_LIBRARY_A, CODE_LIBRARY_B}, std::pair{CODE_LIBRARY_C, CODE_LIBRARY_D}}) {
    InFreshProcess([first = first, second = second] {
      ASSERT_TRUE(g_ledger.Create(nullptr, 1));
      void* before = dlopen(first, RTLD_NOW);
      const void* code = dlsym(before, "CodeLibraryNumber");
      const uint64_t first_site = SiteIn(code);
      dlclose(before);
      Library after(second);
      ASSERT_EQ(after.Code(), code);
      g_modules.Refresh();
      const uint64_t second_site = SiteIn(code);
      EXPECT_NE(ModuleOf(second_site), ModuleOf(first_site));
      EXPECT_EQ(PathOf(ModuleOf(second_site)), second);
      EXPECT_NE(ModuleAt(ModuleOf(first_site)).unloaded, 0u);
    });
  }
}

TEST(ModuleTable, ManyModules) {
  InFreshProcess([] {
    ASSERT_TRUE(g_ledger.Create(nullptr, 1));
    ScratchDirectory directory;
    constexpr int kLibraries = 150;
    std::vector<Library> libraries;
    std::set<uint32_t> modules;
    for (int i = 0; i < kLibraries; ++i) {
      const std::string copy = directory.File("copy" + std::to_string(i) + ".so");
      std::filesystem::copy_file(CODE_LIBRARY_A, copy);
      libraries.emplace_back(copy);
      const uint32_t module = ModuleOf(SiteIn(libraries.back().Code()));
      ASSERT_NE(module, 0u);
      EXPECT_EQ(PathOf(module), copy);
      modules.insert(module);
    }
    EXPECT_EQ(modules.size(), size_t{kLibraries});
    for (int i = 0; i < kLibraries; ++i) {
      ASSERT_EQ(PathOf(ModuleOf(SiteIn(libraries[static_cast<size_t>(i)].Code()))),
                directory.File("copy" + std::to_string(i) + ".so"));
    }
  });
}

TEST(ModuleTable, ReadersWhileLibrariesComeAndGo) {
  InFreshProcess([] {
    ASSERT_TRUE(g_ledger.Create(nullptr, 1));
    const void* const libc_code = dlsym(RTLD_NEXT, "qsort");
    const auto own_code = reinterpret_cast<const void*>(&PathOf);
    const uint64_t libc_site = SiteIn(libc_code);
    const uint64_t own_site = SiteIn(own_code);
    std::atomic<bool> done{false};
    std::atomic<int> wrong{0};
    std::vector<std::thread> readers;
    for (int t = 0; t < 3; ++t) {
      readers.emplace_back([&] {
        while (!done) {
          if (SiteIn(libc_code) != libc_site || SiteIn(own_code) != own_site) ++wrong;
          g_modules.SiteOf(0x1234);  // asks the loader each time that something came or went
        }
      });
    }
    for (int round = 0; round < 200; ++round) {
      Library library(round % 2 == 0 ? CODE_LIBRARY_A : CODE_LIBRARY_B);
      const uint64_t site = SiteIn(library.Code());
      if (PathOf(ModuleOf(site)) != (round % 2 == 0 ? CODE_LIBRARY_A : CODE_LIBRARY_B)) ++wrong;
      library.Close();
    }
    done = true;
    for (std::thread& reader : readers) reader.join();
    EXPECT_EQ(wrong, 0);
  });
}

}  // namespace
}  // namespace mallocspy::ledger
