#include "allocator/ledger/loaded_module.h"

#include <elf.h>
#include <gtest/gtest.h>

#include <cstring>
#include <memory>
#include <string>
#include <vector>

namespace mallocspy::ledger {
namespace {

constexpr uintptr_t kBias = 0x7f0000000000;

// A made-up object: its program headers, and notes in memory of ours.
class Object {
 public:
  void Load(uintptr_t start, size_t bytes, uint32_t flags) {
    ElfW(Phdr)& header = headers_.emplace_back();
    header.p_type = PT_LOAD;
    header.p_vaddr = start;
    header.p_memsz = bytes;
    header.p_flags = flags;
  }
  void Notes(const std::string& notes, size_t alignment = 4) {
    ElfW(Phdr)& header = headers_.emplace_back();
    notes_.push_back(std::make_unique<std::string>(notes));
    header.p_type = PT_NOTE;
    header.p_vaddr = reinterpret_cast<uintptr_t>(notes_.back()->data()) - kBias;
    header.p_memsz = notes.size();
    header.p_align = alignment;
  }
  bool Read(LoadedModule* module, const char* name = "/lib/x.so") const {
    dl_phdr_info info = {};
    info.dlpi_addr = kBias;
    info.dlpi_name = name;
    info.dlpi_phdr = headers_.data();
    info.dlpi_phnum = static_cast<ElfW(Half)>(headers_.size());
    return ReadLoadedModule(info, module);
  }

 private:
  std::vector<ElfW(Phdr)> headers_;
  std::vector<std::unique_ptr<std::string>> notes_;
};

std::string Note(const std::string& name, uint32_t type, const std::string& content, size_t padding = 4) {
  ElfW(Nhdr) header = {};
  header.n_namesz = static_cast<ElfW(Word)>(name.size() + 1);
  header.n_descsz = static_cast<ElfW(Word)>(content.size());
  header.n_type = type;
  std::string note(reinterpret_cast<const char*>(&header), sizeof(header));
  for (const std::string& part : {name + '\0', content}) {
    note += part;
    note.resize(note.size() + (padding - part.size() % padding) % padding);
  }
  return note;
}

std::string BuildId(const LoadedModule& module) {
  return std::string(reinterpret_cast<const char*>(module.build_id), module.build_id_bytes);
}

TEST(LoadedModule, ReadsWhereItLies) {
  Object object;
  object.Load(0, 0x1000, PF_R);
  object.Load(0x1000, 0x2345, PF_R | PF_X);
  object.Load(0x5000, 0x800, PF_R | PF_W);
  auto module = std::make_unique<LoadedModule>();
  ASSERT_TRUE(object.Read(module.get()));
  EXPECT_EQ(module->bias, kBias);
  EXPECT_EQ(module->start, kBias);
  EXPECT_EQ(module->end, kBias + 0x5800);
  ASSERT_EQ(module->code_ranges, 1u);
  EXPECT_EQ(module->code[0].start, kBias + 0x1000);
  EXPECT_EQ(module->code[0].end, kBias + 0x3345);
  EXPECT_EQ(std::string(module->path, module->path_bytes), "/lib/x.so");
  EXPECT_EQ(module->build_id_bytes, 0u);
  EXPECT_FALSE(module->is_executable);
}

TEST(LoadedModule, WithoutCodeItIsNoModule) {
  Object object;
  object.Load(0, 0x1000, PF_R);
  auto module = std::make_unique<LoadedModule>();
  EXPECT_FALSE(object.Read(module.get()));
}

TEST(LoadedModule, MayHaveSeveralCodeSegments) {
  Object object;
  for (uintptr_t i = 0; i < 6; ++i) object.Load(0x1000 * i, 0x100, PF_R | PF_X);
  auto module = std::make_unique<LoadedModule>();
  ASSERT_TRUE(object.Read(module.get()));
  EXPECT_EQ(module->code_ranges, 4u);
  EXPECT_EQ(module->code[3].start, kBias + 0x3000);
}

TEST(LoadedModule, NamesMayBeMissingOrLong) {
  Object object;
  object.Load(0, 0x1000, PF_R | PF_X);
  auto module = std::make_unique<LoadedModule>();
  ASSERT_TRUE(object.Read(module.get(), nullptr));
  EXPECT_EQ(module->path_bytes, 0u);
  ASSERT_TRUE(object.Read(module.get(), ""));
  EXPECT_EQ(module->path_bytes, 0u);
  const std::string name(10000, 'x');
  ASSERT_TRUE(object.Read(module.get(), name.c_str()));
  EXPECT_EQ(module->path_bytes, sizeof(module->path));
}

TEST(LoadedModule, FindsTheBuildIdAmongNotes) {
  const std::string id = "0123456789abcdef0123";
  for (const size_t padding : {4, 8}) {
    Object object;
    object.Load(0, 0x1000, PF_R | PF_X);
    object.Notes(Note("stapsdt", 3, "whatever", padding) + Note("GNU", NT_GNU_ABI_TAG, std::string(16, 'a'), padding) +
                     Note("GNU", NT_GNU_BUILD_ID, id, padding) + Note("GNU", NT_GNU_BUILD_ID, "another", padding),
                 padding);
    auto module = std::make_unique<LoadedModule>();
    ASSERT_TRUE(object.Read(module.get()));
    EXPECT_EQ(BuildId(*module), id) << padding;
  }
}

TEST(LoadedModule, ABuildIdInALaterSegment) {
  Object object;
  object.Notes(Note("GNU", NT_GNU_ABI_TAG, std::string(16, 'a')));
  object.Load(0, 0x1000, PF_R | PF_X);
  object.Notes(Note("GNU", NT_GNU_BUILD_ID, "abcd"));
  auto module = std::make_unique<LoadedModule>();
  ASSERT_TRUE(object.Read(module.get()));
  EXPECT_EQ(BuildId(*module), "abcd");
}

TEST(LoadedModule, ALongBuildIdIsCut) {
  Object object;
  object.Load(0, 0x1000, PF_R | PF_X);
  object.Notes(Note("GNU", NT_GNU_BUILD_ID, std::string(100, 'i')));
  auto module = std::make_unique<LoadedModule>();
  ASSERT_TRUE(object.Read(module.get()));
  EXPECT_EQ(BuildId(*module), std::string(32, 'i'));
}

// Notes come from a file that somebody wrote.
TEST(LoadedModule, DamagedNotesAreNoBuildId) {
  const std::string whole = Note("GNU", NT_GNU_BUILD_ID, "0123456789abcdef");
  std::vector<std::string> damaged;
  for (size_t size = 0; size < whole.size(); ++size) damaged.push_back(whole.substr(0, size));
  for (const uint32_t huge : {0x7fffffffu, 0xfffffff0u, 0xffffffffu}) {
    for (const size_t field : {size_t{0}, size_t{4}}) {
      std::string note = whole;
      std::memcpy(note.data() + field, &huge, sizeof(huge));
      damaged.push_back(note);
    }
  }
  damaged.push_back(Note("XYZ", NT_GNU_BUILD_ID, "0123"));
  damaged.push_back(Note("GNUX", NT_GNU_BUILD_ID, "0123"));
  for (const std::string& notes : damaged) {
    Object object;
    object.Load(0, 0x1000, PF_R | PF_X);
    object.Notes(notes);
    auto module = std::make_unique<LoadedModule>();
    ASSERT_TRUE(object.Read(module.get()));
    EXPECT_EQ(module->build_id_bytes, 0u) << notes.size();
  }
}

}  // namespace
}  // namespace mallocspy::ledger
